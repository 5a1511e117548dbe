"""One run folder for all tests that only read it: training its tokenizer takes seconds."""

import pytest
from folders import make_run


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A run folder with a champion, and its exam."""
    return make_run(tmp_path_factory.mktemp("runs") / "a")
