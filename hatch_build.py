"""Builds the kernel, `sidecar/_kernel.c`, where a C compiler is there, and leaves it out where none
is: the package gives the same without it, and is slower.

A wheel with it is for CPython 3.11 and later on one platform (`cp311-abi3-…`), one without it for
all (`py3-none-any`). An editable installation has it beside its source.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE, NAME = "sidecar/_kernel.c", "sidecar/_kernel.abi3.so"
#: Floating point as it is written: a multiplication and an addition are two roundings.
FLAGS = ["-O3", "-ffp-contract=off", "-fvisibility=hidden"]
#: The same code for several instruction sets, of which the loader takes one.
CLONES = '-DCLONES=__attribute__((target_clones("default","arch=x86-64-v3","arch=x86-64-v4")))'
SHARED = {"darwin": ["-bundle", "-undefined", "dynamic_lookup"]}.get(sys.platform, ["-shared"])


class KernelHook(BuildHookInterface[Any]):
    """Puts the kernel into wheels, and beside the source of editable installations."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and say what the wheel is for."""
        root = Path(self.root)
        self.scratch = tempfile.TemporaryDirectory()
        built = (root if version == "editable" else Path(self.scratch.name)) / NAME
        if not build(root / SOURCE, built):
            self.app.display_warning(
                "The kernel is left out: there is no C compiler that makes it."
            )
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
        if version != "editable":
            build_data["force_include"][str(built)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built on the way."""
        self.scratch.cleanup()


def build(source: Path, built: Path) -> bool:
    """Whether the kernel was compiled and can be loaded: with `CLONES` where compiler, linker and
    loader know them, else without.
    """
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "")
    free_threaded = sysconfig.get_config_var("Py_GIL_DISABLED")  # it has no stable ABI
    if not compiler or free_threaded or sys.implementation.name != "cpython":
        return False
    include = f"-I{sysconfig.get_path('include')}"
    built.parent.mkdir(parents=True, exist_ok=True)
    command = [*compiler, *SHARED, "-fPIC", include, *FLAGS, str(source), "-o", str(built)]
    load = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({str(built)!r})"]
    return any(_succeeds([*command, *clones]) and _succeeds(load) for clones in ([CLONES], []))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
