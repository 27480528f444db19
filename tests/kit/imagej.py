"""The real ImageJ on a screen of its own, driven by macros that call the functions of ours.

Two lines of the shipped macro are other ones here: what a person would read in a dialog is written
to a file.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .needs import installed, missing

MACRO = Path(__file__).parents[2] / "integrations" / "fiji" / "Sidecar.ijm"
#: Where Debian's package imagej has it.
JAR = Path("/usr/share/java/ij.jar")
#: Seconds in which a macro is done, on a busy machine too.
PATIENCE = 60

_STOP = "    exit(message);\n"
_SAY = """
function say(told) { File.append(told, "%(told)s"); }
function leave() { say("done"); run("Quit"); wait(60000); }
"""


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """The name of a display that nobody looks at."""
    reader, writer = os.pipe()
    command = [installed("Xvfb"), "-displayfd", str(writer), "-screen", "0", "1024x768x24"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


class ImageJ:
    """Runs macros, each in an ImageJ of its own that knows nothing of the last one."""

    def __init__(self, display: str, folder: Path) -> None:
        if not JAR.is_file():
            missing("VALIDATORS", "ImageJ is not installed")
        self._java, self._display, self._folder = installed("java"), display, folder
        self._runs = 0

    def start(self, driver: str) -> Run:
        """Begin to run macro code that may call the shipped functions, and ``say(text)``."""
        self._runs += 1
        home = self._folder / f"run-{self._runs}"
        home.mkdir()
        told, code = home / "told.txt", home / "driver.ijm"
        shipped = MACRO.read_text(encoding="utf-8")
        assert shipped.count(_STOP) == 1
        stop = '    say("refused: " + message);\n    leave();\n'
        text = driver + "\nleave();\n" + _SAY % {"told": told} + shipped.replace(_STOP, stop)
        code.write_text(text, encoding="utf-8")
        command = [self._java, f"-Duser.home={home}", f"-Djava.io.tmpdir={home}"]
        command += ["-cp", str(JAR), "ij.ImageJ", "-macro", str(code)]
        environment = {**os.environ, "DISPLAY": self._display, "HOME": str(home)}
        return Run(subprocess.Popen(command, env=environment), told)

    def run(self, driver: str) -> list[str]:
        """What the macro said, line by line."""
        return self.start(driver).finish()


class Run:
    """A macro that is running."""

    def __init__(self, process: subprocess.Popen[bytes], told: Path) -> None:
        self._process, self._told = process, told

    def said(self) -> list[str]:
        """So far."""
        return self._told.read_text(encoding="utf-8").splitlines() if self._told.exists() else []

    def finish(self) -> list[str]:
        """Wait for its end; a macro that ends in a dialog of ImageJ is a failure."""
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"ImageJ waits for somebody; it said {self.said()}") from None
        said = self.said()
        assert said[-1:] == ["done"], said
        return said[:-1]
