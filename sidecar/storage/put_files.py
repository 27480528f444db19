"""Small files written into a folder of the user, without replacing the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sidecar.errors import OutputError, reason
from sidecar.storage.location import called
from sidecar.storage.whole_file import whole_file


def put_files(
    folder: Path, contents: Mapping[str, bytes], *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write files into ``folder``, by their names within it. The folder is made where it is
    missing. Returns their paths.

    An existing file of the same name with other content is replaced only with ``overwrite``.

    Raises OutputError where a file is in the way, and then nothing is written; and where a file
    cannot be written.
    """
    files = {folder / name: data for name, data in contents.items()}
    try:
        if not overwrite:
            _refuse_others(files)
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as part:
                part.write_bytes(data)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{called(folder)} cannot be written: {reason(error)}") from None
    return tuple(files)


def _refuse_others(files: Mapping[Path, bytes]) -> None:
    others = [
        path.name
        for path, data in files.items()
        if path.exists() and not (path.is_file() and path.read_bytes() == data)
    ]
    if others:
        are, them = ("is", "it") if len(others) == 1 else ("are", "them")
        raise OutputError(
            f"{', '.join(others)} {are} there already, with other content (of an earlier edition,"
            f" or your own); give --overwrite to replace {them}, or choose another folder"
        )
