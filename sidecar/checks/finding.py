"""The result of one check, and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: A finding lists so many problems, and counts the others.
LISTED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    ``passed``: None where the check was not possible. ``detail``: what was checked, or what is
    wrong.
    """

    check: str
    passed: bool | None
    detail: str


def finding(check: str, problems: Sequence[str], fine: str) -> Finding:
    """Passed, with the words ``fine``, where there are no problems. Else failed, with the first
    problems.
    """
    return Finding(check, not problems, listed(problems) if problems else fine)


def listed(problems: Sequence[str]) -> str:
    more = len(problems) - LISTED
    return "; ".join(problems[:LISTED]) + (f"; and {more} more" if more > 0 else "")
