"""What lies in a folder, to compare it with what lay there before or lies elsewhere."""

from __future__ import annotations

from pathlib import Path

#: Larger files are known by their size alone: some tests make sparse ones of many gigabytes.
READ_BELOW = 1 << 24


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and link below a folder, by its name from there, and its content."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b"no regular file"
    size = path.stat().st_size
    return path.read_bytes() if size < READ_BELOW else f"{size} bytes".encode()
