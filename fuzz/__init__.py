"""Files that nobody would write on purpose, fed to everything that reads files.

`targets` says what is tried and what is promised of it, `inputs` makes changed files of whole ones,
`tally` counts what became of them, `one` runs one target in a process of its own, with atheris
where it is installed and Hypothesis otherwise, and `python -m fuzz --minutes N` runs all of them,
one after the other. Whole files come from the tests' generators (`tests/kit`), so that they are
needed here too. See docs/reliability.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[1] / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
