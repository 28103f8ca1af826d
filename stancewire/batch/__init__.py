"""Read any number of articles into columns: sharded, resumable, the same bytes whatever the engine.

Needs the extra `batch` (pyarrow, zstandard); docs/batch.md tells what is read, written and promised.
"""
