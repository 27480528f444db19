"""The installed command, and `python -m sidecar`: what goes on around the command line, from the
first moment to the last.

Light, so that Ctrl-C finds it at work while the rest is still being loaded.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType

from sidecar import faults

#: What a shell gives for a program that Ctrl-C ended: 128 and the number of the signal.
INTERRUPTED = 128 + signal.SIGINT


def entry() -> None:
    """`sidecar.cli.main`, and at its end none of the taking apart of all that was imported, which
    takes as long as a command.

    From here on Ctrl-C never ends in a traceback.
    """
    _keep_stderr_for_us()
    code = _finished()
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # none where the caller closed it
        try:
            stream.flush()
        except OSError:  # of which `main` has told
            code = code or 1
    os._exit(code)


def _keep_stderr_for_us() -> None:
    """Libraries in C write of damaged files to the system's stderr, past all that is told here:
    they get another, which nobody reads.
    """
    if faults.is_debugging() or sys.stderr is None:
        return
    try:
        number = os.dup(sys.stderr.fileno())
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
    except OSError:  # it was closed, or is no file
        return
    sys.stderr = open(  # noqa: PTH123, SIM115 - until the end
        number, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors
    )


def _finished() -> int:
    """The exit code of `main`. What nobody foresaw is one message, too."""
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # it is not where a shell has it ignored
        signal.signal(signal.SIGINT, interrupt)
    try:
        from sidecar.cli import main

        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last net
        # what was loading at that moment may have made an error of its own of it, as pydantic does
        if interrupted:
            return INTERRUPTED
        faults.show_traceback(error)
        sys.stderr.write(f"sidecar: {faults.in_words(error)}\n")
        return faults.OUR_FAULT
    return 0


if __name__ == "__main__":
    entry()
