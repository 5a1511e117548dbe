"""What happened, and how to go on from it: the run folder, its journal of messages, its checkpoints.

`autotelic.record.checkpoint` is imported by itself, because it needs torch and reading a journal does not.
"""

from autotelic.record.folder import Lock, RunFolder, is_run, set_aside
from autotelic.record.groups import Rows
from autotelic.record.journal import Journal
from autotelic.record.reading import StoredEpisode

__all__ = ["Journal", "Lock", "Rows", "RunFolder", "StoredEpisode", "is_run", "set_aside"]
