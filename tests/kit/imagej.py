"""The real ImageJ on a screen of its own, driven by macros that call the functions of ours.

Two lines of the shipped macro are other ones here: what a person would read in a dialog is written
to a file.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .needs import installed, missing

MACRO = Path(__file__).parents[2] / "integrations" / "fiji" / "Sidecar.ijm"
#: Where Debian's package imagej has it.
JAR = Path("/usr/share/java/ij.jar")
#: Seconds in which a macro is done, on a busy machine too.
PATIENCE = 60

#: Seconds until the screen shows what was done.
SCREEN_DELAY = 1

_STOP = "    exit(message);\n"
_SAY = """
function say(told) { File.append(told, "%(told)s"); }
function hold(step) { say(step); while (!File.exists("%(home)s/" + step)) wait(50); }
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


def click(display: str, x: float, y: float) -> None:
    """As a hand with a mouse does it, in pixels of the screen."""
    command = [installed("xdotool"), "mousemove", str(round(x)), str(round(y)), "sleep", "0.2"]
    subprocess.run(
        [*command, "click", "1", "sleep", "0.3"], env={**os.environ, "DISPLAY": display}, check=True
    )


def seen(display: str) -> NDArray[np.uint8]:
    """What is on the screen: (rows, columns, 3)."""
    shot = subprocess.run(
        [installed("import"), "-window", "root", "-depth", "8", "rgb:-"],
        env={**os.environ, "DISPLAY": display},
        capture_output=True,
        check=True,
    )
    return np.frombuffer(shot.stdout, np.uint8).reshape(768, 1024, 3)


class ImageJ:
    """Runs macros, each in an ImageJ of its own that knows nothing of the last one."""

    def __init__(self, display: str, folder: Path) -> None:
        if not JAR.is_file():
            missing("VALIDATORS", "ImageJ is not installed")
        self._java, self._display, self._folder = installed("java"), display, folder
        self._runs: list[subprocess.Popen[bytes]] = []

    def start(self, driver: str, locale: str = "C.UTF-8") -> Run:
        """Begin to run macro code that may call the shipped functions, ``say(text)``, and
        ``hold(step)``, which says the step and waits for `Run.go_on`.
        """
        home = self._folder / f"run-{len(self._runs)}"
        home.mkdir()
        told, code = home / "told.txt", home / "driver.ijm"
        shipped = MACRO.read_text(encoding="utf-8")
        assert shipped.count(_STOP) == 1
        stop = '    say("refused: " + message);\n    leave();\n'
        text = (
            driver
            + "\nleave();\n"
            + _SAY % {"told": told, "home": home}
            + shipped.replace(_STOP, stop)
        )
        code.write_text(text, encoding="utf-8")
        command = [self._java, f"-Duser.home={home}", f"-Djava.io.tmpdir={home}"]
        command += ["-cp", str(JAR), "ij.ImageJ", "-macro", str(code)]
        environment = {**os.environ, "DISPLAY": self._display, "HOME": str(home), "LC_ALL": locale}
        self._runs.append(subprocess.Popen(command, env=environment))
        return Run(self._runs[-1], told)

    def each(self, drivers: Sequence[str]) -> list[list[str]]:
        """What each of several macros said, one after the other in one ImageJ; a refusal ends only
        the one that it is of.
        """
        home = self._folder / f"each-{len(self._runs)}"
        home.mkdir()
        shipped, calls = MACRO.read_text(encoding="utf-8"), []
        for k, driver in enumerate(drivers):
            told = home / f"told-{k}.txt"
            say = f'function say(told) {{ File.append(told, "{told}"); }}\n'
            stop = '    say("refused: " + message);\n    exit();\n'
            text = f'{driver}\nsay("done");\nexit();\n{say}{shipped.replace(_STOP, stop)}'
            (home / f"{k}.ijm").write_text(text, encoding="utf-8")
            calls.append(f'runMacro("{home}/{k}.ijm"); while (nImages > 0) close();')
        self.run("\n".join(calls))
        return [
            (home / f"told-{k}.txt").read_text(encoding="utf-8").splitlines()
            for k in range(len(drivers))
        ]

    def run(self, driver: str, locale: str = "C.UTF-8") -> list[str]:
        """What the macro said, line by line."""
        return self.start(driver, locale).finish()

    def close(self) -> None:
        """End what a failed test left running."""
        for process in self._runs:
            process.kill()
            process.wait()


class Run:
    """A macro that is running."""

    def __init__(self, process: subprocess.Popen[bytes], told: Path) -> None:
        self._process, self._told = process, told

    def said(self) -> list[str]:
        """So far."""
        return self._told.read_text(encoding="utf-8").splitlines() if self._told.exists() else []

    def wait_for(self, line: str) -> None:
        """Until the macro has said a line, and what it did is on the screen."""
        end = time.monotonic() + PATIENCE
        while line not in self.said():
            assert self._process.poll() is None and time.monotonic() < end, self.said()
            time.sleep(0.05)
        time.sleep(SCREEN_DELAY)

    def go_on(self, step: str) -> None:
        """Let a macro go on that waits for a step: see `hold`."""
        (self._told.parent / step).touch()

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
