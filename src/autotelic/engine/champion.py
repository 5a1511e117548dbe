"""The champion in the run folder: the weights that were last certified, as a model that any tool
loads.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

from autotelic.dashboard.card import model_card
from autotelic.dashboard.publish import story_of
from autotelic.engine.services import Services
from autotelic.errors import ModelError, RunError, command
from autotelic.messages import ChampionSaved
from autotelic.record import Journal, RunFolder
from autotelic.state import State
from autotelic.weights.warrant import Warrant


def save_champion(services: Services, state: State, *, folder: RunFolder) -> ChampionSaved:
    """Write the champion in Hugging Face format with its card, whole or not at all.

    Raises RunError where it cannot be written. The last checkpoint is from before the end of the run, so a resume
    saves the champion.
    """
    try:
        return _saved(services, state.champion.weights, folder)
    except (OSError, ModelError) as error:
        if isinstance(error, ModelError) and error.__cause__ is None:
            raise  # it is about the weights, and not about the disk
        why = (
            error.cause
            if isinstance(error, ModelError)
            else f"the champion cannot be written: {error.strerror}"
        )
        raise RunError(
            why, f"free some space; then it is saved by: {command('resume', folder.path)}"
        ) from error


def _saved(services: Services, ref: str, folder: RunFolder) -> ChampionSaved:
    new = folder.path / ".champion.new"
    old = folder.path / ".champion.old"
    shutil.rmtree(new, ignore_errors=True)
    saved = services.weights.export(new, ref, Warrant(role="export", ref=ref), services.tokens.tokenizer)
    card = model_card(story_of(folder), folder.path.resolve().name)
    (new / "README.md").write_text(card, encoding="utf-8")
    certificate = services.overseen.certificates.get(ref)
    if certificate is not None:
        text = json.dumps(certificate.as_json(), indent=1)
        (new / "certificate.json").write_text(text, encoding="utf-8")
    # safetensors writes a file that its owner alone may read. Whoever may read the rest may read the weights.
    mode = stat.S_IMODE((new / "config.json").stat().st_mode)
    for path in new.iterdir():
        path.chmod(mode)
    shutil.rmtree(old, ignore_errors=True)
    if folder.champion.exists():
        os.rename(folder.champion, old)
    os.rename(new, folder.champion)
    shutil.rmtree(old, ignore_errors=True)
    return ChampionSaved(weights=ref, folder=saved)


def champion_of(run: RunFolder) -> tuple[Path, str]:
    """The folder of a run's champion, and the reference that it was saved with. Raises RunError where there is none.

    A resume goes back on the message that says so, and the folder stays: until the run saves its champion again, it
    is the one before.
    """
    with Journal.open(run.path) as journal:
        saved = journal.read(kinds=(ChampionSaved.kind,), superseded=True)
    last = saved[-1] if saved else None
    if not isinstance(last, ChampionSaved) or not run.champion.is_dir():
        raise RunError(
            f"{run.path} has no champion yet", f"let it run to its end: {command('resume', run.path)}"
        )
    return run.champion, last.folder
