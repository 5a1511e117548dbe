"""Governing the process while it runs: who may become champion, and what stops the run."""
