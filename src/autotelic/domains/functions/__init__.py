"""Python functions with statements, and tests of their own: for language models."""

from autotelic.domains.functions.domain import FunctionsDomain

__all__ = ["FunctionsDomain"]
