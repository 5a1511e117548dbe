"""Scenes: programs that draw, pictures to describe, to question, to draw and to compare."""

from autotelic.domains.scenes.domain import ScenesDomain

__all__ = ["ScenesDomain"]
