"""Other ways to the same PNGs, as people use them: each takes a folder, halves every slice, and writes 8 bits by the header's window or 16.

Every one gets two processes over two halves of the input, or two threads, whichever suits it. None of them orders slices by position,
writes a sidecar or digests, or checks what it reads; `dcm2niix` writes one file of full size and stands there for reference.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

Command = Callable[[Path, Path, int], Sequence[str | Path]]

_HERE = Path(__file__).parent


def _script(name: str) -> Command:
    return lambda source, output, bits: [sys.executable, _HERE / f"{name}.py", source, output, str(bits)]


def _dcmtk(program: str) -> Command:
    def command(source: Path, output: Path, bits: int) -> Sequence[str | Path]:
        convert = f"{program} {'+on +Wi 1' if bits == 8 else '+on2 -W'} -il +Sxf 0.5 {{}} {output}/$(basename {{}} .dcm).png"
        return ["sh", "-c", f"mkdir {output} && ls {source}/* | xargs -P2 -I{{}} sh -c '{convert}'"]

    return command


def _dcm2niix(source: Path, output: Path, bits: int) -> Sequence[str | Path]:
    return ["sh", "-c", f"mkdir {output} && dcm2niix -z n -b n -o {output} {source}"]


def installed() -> dict[str, Command]:
    """Every peer that is there, by name."""
    programs = {"dcmtk": shutil.which("dcm2img") or shutil.which("dcmj2pnm"), "dcm2niix": shutil.which("dcm2niix")}
    commands = {"dcmtk": _dcmtk(Path(programs["dcmtk"] or "").name), "dcm2niix": _dcm2niix}
    scripts = {
        "SimpleITK": ("SimpleITK", _script("simpleitk_script")),
        "OpenCV script": ("cv2", _script("opencv_script")),
        "pydicom + Pillow script": ("PIL", _script("pillow_script")),
    }
    found = {name: commands["dcmtk"] for name in ("dcmtk",) if programs[name]}
    found |= {name: command for name, (module, command) in scripts.items() if find_spec(module)}
    return found | {name: commands[name] for name in ("dcm2niix",) if programs[name]}
