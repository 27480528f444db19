"""Files for other programs that come with the package: a toolset for ImageJ and Fiji, a module
for 3D Slicer, a function for R.
"""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import UsageError
from sidecar.storage.put_files import put_files

PROGRAMS = ("fiji", "slicer", "r")


def copy_shipped(program: str, output: str | Path, *, overwrite: bool = False) -> tuple[Path, ...]:
    """Copy the files for ``program``, "fiji", "slicer" or "r", into the folder ``output``. The
    folder is made where it is missing. Returns the copies.

    An existing file of the same name with other content is replaced only with ``overwrite``.

    Raises UsageError for another program. OutputError where a file is in the way, and then nothing
    is copied; and where a file cannot be written.
    """
    if program not in PROGRAMS:
        raise UsageError(f"{program}: it is one of {', '.join(PROGRAMS)}")
    return put_files(Path(output), shipped(program), overwrite=overwrite)


def shipped(program: str) -> dict[str, bytes]:
    """The content of the files for a program, by their names within its folder."""
    folder = _folder() / program
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in (".ijm", ".py", ".R"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _folder() -> Path:
    """The folder of these files: beside the package in a checkout, within the package where it
    is installed.
    """
    installed = Path(__file__).parent / "integrations"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "integrations"
