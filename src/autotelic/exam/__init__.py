"""Examining: what the model can do, on items it has never seen.

`sealed` draws the exam that is committed to before the first update, `own` freezes the one the model sets
itself, `evaluate` evaluates either, `repair` asks whether reading a failure helps, `prompting` whether a gain
is more than form. `seals` says what a parent run has met. `prompting` needs torch, so it is imported by
itself.
"""

from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam, draw_sealed, fresh_items

__all__ = ["Exam", "draw_sealed", "freeze_own", "fresh_items"]
