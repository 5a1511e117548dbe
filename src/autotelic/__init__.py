"""A self-improvement engine for language models: it makes its own tasks, judges them, and changes its own weights."""

import os

# Threads that wait for one another are to sleep, not to spin: on a machine with anything else to do, a spinning
# thread holds the core that the other thread needs, and a matrix product takes many times as long. Read by the
# OpenMP runtime when torch is first imported, so it is set before anything can import it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
