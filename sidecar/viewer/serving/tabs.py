"""Which tabs of a browser are open, and whether the last one has been gone long enough to stop.

A tab is heard every few seconds and says when it goes. Time is counted in ticks, which pass only
while this program runs: a machine that slept wakes with the tabs it had. A tab that is silent may
be one whose own machine sleeps, at the other end of an ssh line, and is waited for much longer than
one that said that it goes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

#: Tabs that are remembered; nobody works in more.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Patience:
    """Ticks, of a second each: ``grace`` after the last tab is gone, which reloads stay within, and
    ``silence`` of a tab before it counts as gone.
    """

    grace: int = 60
    silence: int = 12 * 3600


@dataclass
class Tabs:
    """The tabs that are open, each with the ticks since it was heard."""

    patience: Patience = field(default_factory=Patience)
    _silent: dict[str, int] = field(default_factory=dict, init=False)
    _without: int | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def expect_one(self) -> None:
        """A page is on its way to a tab, which is heard when it is there."""
        with self._lock:
            self._without = 0

    def heard(self, tab: str) -> None:
        with self._lock:
            if tab in self._silent or len(self._silent) < _MOST:
                self._silent[tab] = 0
            self._without = 0

    def gone(self, tab: str) -> None:
        with self._lock:
            self._silent.pop(tab, None)

    def tick(self) -> bool:
        """A second has passed. Whether it is time to stop: never before the first tab came."""
        with self._lock:
            self._silent = {
                tab: ticks + 1
                for tab, ticks in self._silent.items()
                if ticks < self.patience.silence
            }
            if self._without is None:
                return False
            self._without = 0 if self._silent else self._without + 1
            return self._without > self.patience.grace
