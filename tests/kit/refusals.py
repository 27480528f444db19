"""What a call of the library must refuse, and in which words."""

from __future__ import annotations

from collections.abc import Callable


def refuses(call: Callable[[], object], kind: type[Exception], *says: str) -> str:
    """The call must fail with this error, whose message holds all of ``says``.

    Returns the message.
    """
    try:
        call()
    except kind as error:
        message = str(error)
        for part in says:
            assert part in message, f"{part!r} is not in: {message}"
        return message
    raise AssertionError(f"{kind.__name__} was not raised")
