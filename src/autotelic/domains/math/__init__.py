"""Exact mathematics: arithmetic, equations, polynomials, counting and word problems, in eight levels.

Problems are data in a small language of their own (`language`), computed with integers and fractions
(`exact`), asked about (`problem`), worked out a line at a time (`working`), turned round (`holes`) and put
as word problems (`word_problems`). `rules` and `word_rules` write the first of them.
"""

from autotelic.domains.math.domain import MathDomain
from autotelic.domains.math.texts import MODES, SPECIAL
from autotelic.domains.math.verify import Verifier

__all__ = ["MODES", "SPECIAL", "MathDomain", "Verifier"]
