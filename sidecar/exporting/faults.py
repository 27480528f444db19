"""Faults of several things that are looked at together: each told by the name of what it is about,
all of them at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sidecar.errors import BatchError, SidecarError


def about(error: SidecarError, name: str) -> SidecarError:
    """The error, whose message begins with the name of what it is about; "" adds nothing."""
    if name and not str(error).startswith(f"{name}:"):
        error.args = (f"{name}: {error}",)
    return error


class Faults:
    """Faults that were met so far, in their order."""

    def __init__(self) -> None:
        self.found: list[SidecarError] = []

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Note what is raised within, by the name of what it is about, and go on."""
        try:
            yield
        except BatchError as errors:
            self.found += [about(error, name) for error in errors.faults]
        except SidecarError as error:
            self.found.append(about(error, name))

    def refuse(self) -> None:
        """Raise the only fault as it is, or several as a BatchError, where nothing was begun."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise BatchError(self.found, f"{len(self.found)} faults, and nothing was written")
