"""Every recipe that is shipped is a charter."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotelic.charter import Charter

RECIPES = sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_a_charter(recipe: Path) -> None:
    assert Charter.load(recipe).purpose != Charter.load(None).purpose


def test_there_are_recipes() -> None:
    assert RECIPES
