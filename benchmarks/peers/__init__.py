"""Other ways to the same PNGs, as people use them: each takes a folder, halves every slice, and
writes 8 bits by the header's window or 16.

Every one gets two processes over two halves of the input, or two threads, whichever suits it. None
of them orders slices by position, writes a sidecar or digests, or checks what it reads; `dcm2niix`
writes one file of full size and stands there for reference.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

Command = Callable[[Path, Path, int], Sequence[str | Path]]


def _threads(name: str) -> Command:
    """A script that does all by itself."""
    return lambda source, output, bits: [
        sys.executable,
        "-m",
        f"{__name__}.{name}",
        source,
        output,
        str(bits),
    ]


def _halves(name: str, *environment: str) -> Command:
    """A script in two processes, each for a half of the files."""

    def command(source: Path, output: Path, bits: int) -> Sequence[str | Path]:
        script = " ".join(
            map(
                quote,
                map(
                    str,
                    (
                        "env",
                        *environment,
                        sys.executable,
                        "-m",
                        f"{__name__}.{name}",
                        source,
                        output,
                        bits,
                    ),
                ),
            )
        )
        return ["sh", "-c", f"printf '0\\n1\\n' | xargs -P2 -n1 {script}"]

    return command


def opencv_at(scale: float) -> Command:
    """The OpenCV script at any scale."""
    return _halves("opencv_script", f"SCALE={scale:g}")


def _dcmtk(program: str) -> Command:
    def command(source: Path, output: Path, bits: int) -> Sequence[str | Path]:
        options = "+on +Wi 1" if bits == 8 else "+on2 -W"
        convert = (
            f"{program} {options} -il +Sxf 0.5 {quote(str(source))}/{{}}"
            f" {quote(str(output))}/{{}}.png"
        )
        return [
            "sh",
            "-c",
            f"mkdir {quote(str(output))} && ls {quote(str(source))} | xargs -P2 -I{{}} {convert}",
        ]

    return command


def _dcm2niix(source: Path, output: Path, bits: int) -> Sequence[str | Path]:
    output.mkdir()
    return ["dcm2niix", "-z", "n", "-b", "n", "-o", output, source]


def installed(syntax: str) -> dict[str, Command]:
    """Every peer that is there, by name, for sources of one transfer syntax."""
    jpeg_ls = syntax.startswith("1.2.840.10008.1.2.4.8")
    dcmtk = shutil.which("dcm2img") or shutil.which("dcml2pnm" if jpeg_ls else "dcmj2pnm")
    scripts = {
        "SimpleITK": ("SimpleITK", _halves("simpleitk_script")),
        "SimpleITK, a thread each": (
            "SimpleITK",
            _halves("simpleitk_script", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1"),
        ),
        "OpenCV script": ("cv2", _halves("opencv_script")),
        "OpenCV, threads, level 1": ("cv2", _threads("opencv_threads_script")),
        "pydicom + Pillow script": ("PIL", _halves("pillow_script")),
    }
    found = {} if dcmtk is None else {"dcmtk": _dcmtk(dcmtk)}
    found |= {name: command for name, (module, command) in scripts.items() if find_spec(module)}
    return found | ({"dcm2niix": _dcm2niix} if shutil.which("dcm2niix") else {})
