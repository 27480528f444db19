"""Readers of label files, one small file per tool; `READERS` is the whole extension mechanism."""
