"""Programs of others that come as Python packages: each in an environment of its own, so that what
they need never touches what this project needs.

The variable SIDECAR_TOOLS names the folder of the environments. One is made when a test first asks
for it, from `tools/requirements/TOOL.txt`, and kept: the next run finds it. Without the variable those
tests are skipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from .needs import missing

REQUIREMENTS = Path(__file__).parents[1] / "tools" / "requirements"


def python_of(tool: str) -> Path:
    """The Python of a tool's environment. Skips the test where there is none and none can be
    made.

    A file of requirements names every package with its exact version: nothing is looked for, so
    that an environment is the same whenever it is made. With other requirements or another Python
    it is another environment.
    """
    if not (folder := os.environ.get("SIDECAR_TOOLS")):
        missing("TOOLS", f"SIDECAR_TOOLS names no folder for the environment of {tool}")
    requirements = REQUIREMENTS / f"{tool}.txt"
    made_of = requirements.read_bytes() + sys.version.encode()
    home = Path(folder).resolve() / f"{tool}-{hashlib.sha256(made_of).hexdigest()[:12]}"
    whole = home / "whole"
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{home}.lock"):
        if not whole.exists():
            shutil.rmtree(home, ignore_errors=True)
            _make(home, requirements)
            whole.touch()
    return _python(home)


def install_package(target: Path) -> Path:
    """This package as users get it, built and put into the folder ``target`` for PYTHONPATH; what
    it needs is in the requirements of the tool.
    """
    checkout = Path(__file__).parents[2]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--target", str(target), str(checkout)], "dicom-sidecar")
    return target


def _make(home: Path, requirements: Path) -> None:
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], home.name)
        install = [uv, "pip", "install", "--quiet", "--python", str(_python(home))]
    else:
        _run([sys.executable, "-m", "venv", "--without-pip", str(home)], home.name)
        pip = [sys.executable, "-m", "pip", "--python", str(home), "install", "--quiet"]
        install = [*pip, "--disable-pip-version-check", "--no-compile"]
    _run([*install, "--no-deps", "-r", str(requirements)], home.name)


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        missing("TOOLS", f"{what} cannot be installed: {done.stderr.strip()[-300:]}")
