"""What people look at: the live view, the report, the pictures, the summary, and texts about one thing.

    record ──► events ──► Story ──► live · report · plots · summary · inspect · compare

`story.py` says once what the events mean; the views only show it. They read the one stream that the record
stores, so what is seen during a run and what is read back from its folder cannot differ.
"""
