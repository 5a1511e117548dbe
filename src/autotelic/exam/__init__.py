"""Examining: what the model can do, on items it has never seen.

`sealed` draws the exam that is committed to before the first update, `own` freezes the one the model sets
itself, `sitting` sits either, `repair` asks whether reading a failure helps, `statistics` says what may be
claimed. `sitting` and `repair` are imported by themselves: they need a tokenizer's library, which takes
seconds to load.
"""

from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam, draw_sealed

__all__ = ["Exam", "draw_sealed", "freeze_own"]
