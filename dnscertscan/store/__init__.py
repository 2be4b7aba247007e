"""What a run keeps on disk (SQLite): the journal that makes it resumable, and scratch space that keeps its memory flat.

Everything is written in encodings of our own (JSON and octets): a file that is read back cannot make anything run.
"""
