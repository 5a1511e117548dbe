"""The permit protocol: a model of it, searched exhaustively, and its real code under random faults."""
