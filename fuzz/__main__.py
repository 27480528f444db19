"""`python -m fuzz --minutes N [--target NAME]`: every target for N minutes, one after the other.
`--target NAME --replay FILE` tries one file, and shows the traceback of a fault.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from fuzz.tally import Tally
from fuzz.target import RefusedError
from fuzz.targets import TARGETS

#: Seconds that a process may take beyond its time: importing, making whole files, the last input.
_GRACE = 600


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target (default: 1)")
    parser.add_argument("--target", action="append", metavar="NAME", help="only this; repeatable")
    parser.add_argument("--list", action="store_true", help="list the targets and end")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("fuzz/found"),
        help="where inputs with faults are left (default: %(default)s)",
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this file once, aloud")
    given = parser.parse_args(words)
    unknown = set(given.target or ()) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; see --list")
    return given


def main() -> int:
    """A line for each target, and 1 where any has a fault."""
    given = arguments(sys.argv[1:])
    if given.list:
        print(*TARGETS, sep="\n")
        return 0
    if given.replay:
        return _replayed(given.target or [], given.replay)
    engine = "atheris" if find_spec("atheris") else "Hypothesis"
    print(f"{'target':32} {'inputs':>9} {'taken':>9} {'faults':>6}   by {engine}", flush=True)
    faults = inputs = 0
    for name in given.target or TARGETS:
        tally = _tried(name, 60 * given.minutes, given.out / name.replace(" ", "-"))
        print(f"{name:32} {tally.inputs:9,} {tally.taken:9,} {len(tally.faults):6}", flush=True)
        for kind, file in tally.faults.items():
            print(f"    {kind}: {tally.folder / file}", flush=True)
        faults, inputs = faults + len(tally.faults), inputs + tally.inputs
    print(f"{'all':32} {inputs:9,} {'':9} {faults:6}")
    return 1 if faults else 0


def _replayed(names: list[str], file: Path) -> int:
    """The traceback of a fault is shown as Python shows it."""
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                TARGETS[name].attempt(file.read_bytes(), Path(folder))
                print(f"{name}: taken")
            except RefusedError as error:
                print(f"{name}: refused: {error}")
    return 0


def _tried(name: str, seconds: float, folder: Path) -> Tally:
    """What one process has counted, with its end as a fault where it did not come to it itself."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_file():
            old.unlink()
    for old in (folder / "corpus").glob("*") if (folder / "corpus").is_dir() else ():
        old.unlink()
    command = [sys.executable, "-m", "fuzz.one", name, str(seconds), str(folder)]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=seconds + _GRACE, check=False)
    except subprocess.TimeoutExpired:
        tally = Tally.read(TARGETS[name], folder)
        tally.note_crash("no end")
        return tally
    tally = Tally.read(TARGETS[name], folder)
    if ended.returncode < 0:
        tally.note_crash(f"killed by {signal.Signals(-ended.returncode).name}")
    elif ended.returncode:
        raise RuntimeError(f"{name}: {ended.stderr.decode(errors='replace')}")
    return tally


if __name__ == "__main__":
    sys.exit(main())
