"""A run as one folder or file that somebody outside can open, check and question."""
