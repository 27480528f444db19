"""The entry point of the installed command and of `python -m sidecar`.

It handles Ctrl-C, stderr, unforeseen errors and the end of the process. It imports little, so it
already handles Ctrl-C while the rest is being loaded.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType

from sidecar import faults


def entry() -> None:
    """Run `sidecar.cli.main`, then end the process without the usual clean-up of all modules.

    That clean-up takes as long as a command. From here on Ctrl-C never ends in a traceback.
    """
    _keep_stderr_for_us()
    code = _finished()
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # none where the caller closed it
        try:
            stream.flush()
        except OSError:  # `main` has printed this error
            code = code or 1
    os._exit(code)


def _keep_stderr_for_us() -> None:
    """Hide what libraries in C print about damaged files.

    They write to the system's stderr directly. They get one that nobody reads, and Python keeps the
    original.
    """
    if faults.is_debugging() or sys.stderr is None:
        return
    try:
        number = os.dup(sys.stderr.fileno())
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
    except OSError:  # stderr is closed, or is no file
        return
    sys.stderr = open(  # noqa: PTH123, SIM115 - until the end
        number, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors
    )


def _finished() -> int:
    """The exit code of `main`. An unforeseen error is one message, too."""
    received: int | None = None

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received = number
        raise KeyboardInterrupt

    for ending in faults.ENDINGS:  # not those that the shell set to be ignored
        if signal.getsignal(ending) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(ending, interrupt)
    try:
        from sidecar.cli import main

        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except KeyboardInterrupt:
        return interrupted(received)
    except Exception as error:  # noqa: BLE001 - the last place that catches errors
        # a module that was loading may have turned Ctrl-C into an error of its own: pydantic does
        if received is not None:
            return interrupted(received)
        faults.show_traceback(error)
        sys.stderr.write(f"sidecar: {faults.in_words(error)}\n")
        return faults.OUR_FAULT
    return 0


def interrupted(number: int | None = None) -> int:
    """The exit code that a shell gives for a program that a signal ended: 128 and its number.
    Ctrl-C where no other is known.
    """
    return 128 + (signal.SIGINT if number is None else number)


if __name__ == "__main__":
    entry()
