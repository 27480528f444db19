"""What a test needs of the machine: where it is missing the test is skipped, and says why.

`.ci/run` sets the variables SIDECAR_REQUIRE_DATA, SIDECAR_REQUIRE_BROWSER,
SIDECAR_REQUIRE_VALIDATORS, SIDECAR_REQUIRE_COMPILER and SIDECAR_REQUIRE_TOOLS, so that there
nothing can be missing: the test fails instead. TOOLS are programs that `environments` installs.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Literal, NoReturn

import pydantic
import pytest

#: What pydantic writes of numbers and classes is compared as releases since 2.13 write it.
NEW_PYDANTIC = pytest.mark.skipif(
    tuple(map(int, pydantic.VERSION.split(".")[:2])) < (2, 13),
    reason="pydantic before 2.13 writes numbers and schemas in another way",
)

#: `nox -s coverage` watches every line, which takes time and memory of its own.
not_watched = pytest.mark.skipif(
    sys.gettrace() is not None,
    reason="time and memory are not the program's own while it is traced",
)

Kind = Literal["DATA", "BROWSER", "VALIDATORS", "COMPILER", "TOOLS"]


def missing(kind: Kind, reason: str) -> NoReturn:
    """End the test: as skipped, or as failed where this kind of thing is required."""
    if os.environ.get(f"SIDECAR_REQUIRE_{kind}"):
        pytest.fail(f"{reason}, and SIDECAR_REQUIRE_{kind} is set")
    pytest.skip(reason)


def installed(*names: str) -> str:
    """The path of the first of some programs of others that is installed."""
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    missing("VALIDATORS", f"not installed: {' or '.join(names)}")
