"""Files for other programs, which travel with the package: a toolset for ImageJ and Fiji, a module
for 3D Slicer, a function for R.
"""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import OutputError, UsageError, reason
from sidecar.storage.whole_file import whole_file

PROGRAMS = ("fiji", "slicer", "r")


def copy_shipped(program: str, output: str | Path, *, overwrite: bool = False) -> tuple[Path, ...]:
    """Copy the files for ``program``, "fiji", "slicer" or "r", into the folder ``output``, which is
    made where it is missing. Returns the copies.

    Files of their names that hold something else are replaced with ``overwrite`` only.

    Raises UsageError for another program, and OutputError where a file is in the way or cannot be
    written; then nothing was copied.
    """
    if program not in PROGRAMS:
        raise UsageError(f"{program}: it is one of {', '.join(PROGRAMS)}")
    contents = {Path(output, name): data for name, data in shipped(program).items()}
    try:
        if not overwrite:
            _refuse_others(contents)
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as part:
                part.write_bytes(data)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{Path(output).name} cannot be written: {reason(error)}") from None
    return tuple(contents)


def shipped(program: str) -> dict[str, bytes]:
    """What the files for a program hold, by their names within its folder."""
    folder = _folder() / program
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in (".ijm", ".py", ".R"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _folder() -> Path:
    """In a checkout beside the package; installed, within it."""
    installed = Path(__file__).parent / "integrations"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "integrations"


def _refuse_others(contents: dict[Path, bytes]) -> None:
    others = [
        path.name
        for path, data in contents.items()
        if path.exists() and not (path.is_file() and path.read_bytes() == data)
    ]
    if others:
        raise OutputError(
            f"{', '.join(others)} is there already and differs: an earlier edition, or a file of"
            " yours; --overwrite replaces it, or choose another folder"
        )
