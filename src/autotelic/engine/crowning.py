"""The champion in the run folder: the best weights so far, as a model that any tool loads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from autotelic.engine.run import Run
from autotelic.models.adapter import merged
from autotelic.models.load import save_model
from autotelic.models.weights import put_back


def crown(run: Run) -> None:
    """Leave the champion in the run folder, in Hugging Face format, whole or not at all."""
    new = run.folder.path / ".champion.new"
    shutil.rmtree(new, ignore_errors=True)
    put_back(run.model, run.champion.weights)
    save_model(merged(run.model), run.tokens.tokenizer, new)
    write_card(run, new)
    old = run.folder.path / ".champion.old"
    shutil.rmtree(old, ignore_errors=True)
    if run.folder.champion.exists():
        os.rename(run.folder.champion, old)
    os.rename(new, run.folder.champion)
    shutil.rmtree(old, ignore_errors=True)


def write_card(run: Run, folder: Path) -> None:
    """The model card, from the run's own events."""
    from autotelic.dashboard.card import model_card
    from autotelic.dashboard.publish import story_of

    card = model_card(story_of(run.folder), run.folder.path.name)
    (folder / "README.md").write_text(card, encoding="utf-8")
