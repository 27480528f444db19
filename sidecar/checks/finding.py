"""What one check found, and how it is put in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Names that a finding lists before it only counts.
LISTED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    ``passed`` is None where it could not be done; ``detail`` says what was looked at, or what is
    wrong.
    """

    check: str
    passed: bool | None
    detail: str


def finding(check: str, problems: Sequence[str], fine: str) -> Finding:
    """Passed with the words ``fine`` where there are no problems, else failed with the first of
    them.
    """
    return Finding(check, not problems, listed(problems) if problems else fine)


def listed(problems: Sequence[str]) -> str:
    more = len(problems) - LISTED
    return "; ".join(problems[:LISTED]) + (f"; and {more} more" if more > 0 else "")
