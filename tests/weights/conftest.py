"""Model folders as one finds them are written by `tests/models/pretrained.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
