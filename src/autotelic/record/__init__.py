"""What happened, and how to go on from it: the run folder, its record of events, its checkpoints.

`autotelic.record.checkpoint` is imported by itself, because it needs torch and reading a record does not.
"""

from autotelic.record.folder import Lock, RunFolder, is_run, set_aside
from autotelic.record.rows import Event, StoredAttempt
from autotelic.record.store import Record

__all__ = ["Event", "Lock", "Record", "RunFolder", "StoredAttempt", "is_run", "set_aside"]
