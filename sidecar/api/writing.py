"""Files that functions write: whole or not at all, never over an input."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import LabelError, OutputError, UsageError, reason
from sidecar.storage.whole_file import refuse_taken_part, whole_file


def write_whole(output: Path, inputs: Iterable[Path], write: Callable[[Path], object]) -> None:
    """Let ``write`` write a new file, which becomes ``output`` when it is whole.

    UsageError where ``output`` is one of ``inputs``, OutputError where it cannot be written,
    LabelError for text that no file can hold.
    """
    taken = any(output.exists() and path.exists() and output.samefile(path) for path in inputs)
    if output.name == SIDECAR_NAME or taken:
        raise UsageError(f"{output.name} would overwrite an input; give another name")
    if output.exists() and not output.is_file():
        raise OutputError(f"{output.name} is not a file; give a file name")
    refuse_taken_part(output)
    try:
        with whole_file(output) as part:
            write(part)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{output.name} cannot be written: {reason(error)}") from None
    except UnicodeEncodeError:
        raise LabelError(
            "a label holds half a character (a lone surrogate), which no text file can hold;"
            " correct it"
        ) from None
