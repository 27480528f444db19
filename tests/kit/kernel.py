"""The kernel as it is written now, compiled into a folder of its own with every warning an error."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from kit import needs

SOURCE = Path(__file__).resolve().parents[2] / "sidecar" / "_kernel.c"
_FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-fPIC", "-Wall", "-Wextra", "-Werror"]
_SHARED = {"darwin": ["-bundle", "-undefined", "dynamic_lookup"]}.get(sys.platform, ["-shared"])
CLONES = '-DCLONES=__attribute__((target_clones("default","arch=x86-64-v3","arch=x86-64-v4")))'


def compiler() -> list[str]:
    """The compiler of this Python as a command; the test ends where there is none."""
    command = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        needs.missing("COMPILER", f"there is no C compiler ({command[0]})")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        needs.missing("COMPILER", "this Python has no headers to compile with")
    return command


def compiled(folder: Path, *flags: str) -> Path:
    """The kernel in a folder. CalledProcessError, with the compiler's words, where that warns."""
    command, built = compiler(), folder / "_kernel.abi3.so"
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(
        [*command, *_SHARED, *_FLAGS, *flags, include, str(SOURCE), "-o", str(built)], check=True
    )
    return built


def loaded(built: Path) -> Any:
    """A compiled kernel as a module."""
    spec = importlib.util.spec_from_file_location("_kernel", built)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
