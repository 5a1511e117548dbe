"""Every recipe that is shipped is a charter."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotelic.charter import Charter, check
from autotelic.commands import charters

RECIPES = sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_a_charter_with_a_purpose_of_its_own(recipe: Path) -> None:
    assert check(recipe) == []
    assert Charter.load(recipe).purpose != Charter().purpose


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_domain_of_a_recipe_has_its_modes_and_levels(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its model may not be on this machine, which `check` says too; nothing else may be wrong."""
    charters.check(recipe)
    said = capsys.readouterr().err.splitlines()
    assert all("is not on this machine" in line and "models pull" in line for line in said)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_says_how_it_is_run(recipe: Path) -> None:
    assert f"#   autotelic run recipes/{recipe.name} " in recipe.read_text()
