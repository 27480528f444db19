"""What became of the inputs of a target: how many there were, how many were taken, and one input
for each kind of fault.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import resource
import shutil
import signal
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import sidecar
from fuzz.target import RefusedError, Target

#: Seconds of processor time, and bytes by which the peak of memory may grow, for one small file.
_SECONDS, _MEMORY = 5.0, 512 << 20
_PACKAGE = Path(sidecar.__file__).parent
_COUNTS, _INPUT = "counts.json", "input"


class TooSlowError(Exception):
    """An input took more than `_SECONDS`."""


@dataclass
class Tally:
    """Counts, kept in ``folder`` while they grow, so that they outlast a crash of the process.

    ``faults``: the file of the first input of each kind, by what went wrong and where.
    """

    target: Target
    folder: Path
    inputs: int = 0
    taken: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    _saved: float = 0.0

    def attempt(self, data: bytes) -> None:
        """Try one input. What is wrong is counted and kept, never raised."""
        (self.folder / _INPUT).write_bytes(data)
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        self.inputs += 1
        before = _peak()
        try:
            with warnings.catch_warnings(), _bounded():
                warnings.simplefilter("ignore")
                self.target.attempt(data, work)
            self.taken += 1
        except RefusedError:
            pass
        except Exception as error:  # noqa: BLE001 - all others are what is looked for
            self.note(_kind(error), data)
        if _peak() - before > _MEMORY:
            self.note(f"more than {_MEMORY >> 20} MB of memory", data)
        _empty(work)
        if time.monotonic() - self._saved > 1:
            self.save()

    def note(self, kind: str, data: bytes) -> None:
        """Keep the first input of a kind of fault."""
        if kind not in self.faults:
            name = f"fault-{hashlib.sha256(data).hexdigest()[:12]}"
            (self.folder / name).write_bytes(data)
            self.faults[kind] = name
            self.save()

    def save(self) -> None:
        """Put the counts where `read` finds them."""
        facts = {"inputs": self.inputs, "taken": self.taken, "faults": self.faults}
        (self.folder / _COUNTS).write_text(json.dumps(facts, indent=1))
        self._saved = time.monotonic()

    @classmethod
    def read(cls, target: Target, folder: Path) -> Tally:
        """The counts of a process that has ended, however that was."""
        with contextlib.suppress(FileNotFoundError):
            return cls(target, folder, **json.loads((folder / _COUNTS).read_text()))
        return cls(target, folder)

    def note_crash(self, how: str) -> None:
        """The process ended at the input that it was trying."""
        self.note(how, (self.folder / _INPUT).read_bytes())


def _kind(error: Exception) -> str:
    """The type of an error and the innermost place in the package that it came from."""
    steps = traceback.extract_tb(error.__traceback__)
    ours = [step for step in steps if Path(step.filename).is_relative_to(_PACKAGE)] or list(steps)
    where = Path(ours[-1].filename)
    name = where.relative_to(_PACKAGE).as_posix() if where.is_relative_to(_PACKAGE) else where.name
    return f"{type(error).__name__} in {name}, line {ours[-1].lineno}"


def _peak() -> int:
    """Most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"more than {_SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
