"""Measurements against peers, runnable by anyone."""
