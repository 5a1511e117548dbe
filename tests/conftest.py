"""Property tests draw the same examples on every run, so that what CI says is about the code that was changed.

`HYPOTHESIS_PROFILE=explore make test` draws new ones, five times as many.
"""

import os

from hypothesis import settings

settings.register_profile("default", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
