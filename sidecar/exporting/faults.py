"""Collect the faults of several sources or jobs and report them together, each with a name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sidecar.errors import BatchError, SidecarError, counted


def about(error: SidecarError, name: str) -> SidecarError:
    """The error with ``name`` at the start of its message; "" adds nothing."""
    if name and not str(error).startswith(f"{name}:"):
        error.args = (f"{name}: {error}",)
    return error


class Faults:
    """The faults found so far, in order."""

    def __init__(self) -> None:
        self.found: list[SidecarError] = []

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Note an error that is raised within the block, under ``name``, and go on."""
        try:
            yield
        except BatchError as errors:
            self.found += [about(error, name) for error in errors.faults]
        except SidecarError as error:
            self.found.append(about(error, name))

    def refuse(self) -> None:
        """Raise a single fault as it is, or several as a BatchError; for use before work begins."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            faults = counted(len(self.found), "fault")
            raise BatchError(self.found, f"{faults}, and nothing was written")
