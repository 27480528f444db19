"""When the server stops by itself: ticks are seconds in which it ran."""

from __future__ import annotations

from sidecar.viewer.serving.tabs import Patience, Tabs

SOON = Patience(grace=3, silence=10)


def ticks(tabs: Tabs, most: int = 50) -> int | None:
    """After how many ticks it stops; None where it does not."""
    return next((count for count in range(1, most + 1) if tabs.tick()), None)


def test_before_the_first_tab_it_waits() -> None:
    assert ticks(Tabs(SOON)) is None


def test_a_while_after_the_last_tab_is_gone() -> None:
    tabs = Tabs(SOON)
    tabs.heard("a")
    tabs.heard("b")
    tabs.gone("a")
    assert ticks(tabs, 9) is None
    tabs.gone("b")
    assert ticks(tabs) == 4


def test_a_reload_is_within_the_while() -> None:
    tabs = Tabs(SOON)
    for _ in range(5):
        tabs.heard("a")
        tabs.gone("a")
        assert ticks(tabs, 3) is None
        tabs.expect_one()
        assert ticks(tabs, 3) is None


def test_a_silent_tab_is_waited_for_longer() -> None:
    tabs = Tabs(SOON)
    tabs.heard("a")
    assert ticks(tabs) == SOON.silence + SOON.grace + 1
    tabs.heard("a")
    assert ticks(tabs, 10) is None
    tabs.heard("a")
    assert ticks(tabs, 10) is None


def test_a_page_that_never_speaks_does_not_keep_it() -> None:
    tabs = Tabs(SOON)
    tabs.expect_one()
    assert ticks(tabs) == 4


def test_tabs_are_bounded() -> None:
    tabs = Tabs(SOON)
    for k in range(10_000):
        tabs.heard(str(k))
    assert len(tabs._silent) == 100
