"""What tests in many folders ask for: the command line, a browser, real scans, cases from the
field.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import browser, needs
from kit.command_line import CommandLine

#: Data that is not part of the repository lies beside it.
SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(name: str, what: str) -> Path:
    if not (SHARED / name).is_dir():
        needs.missing("DATA", f"{what} are not beside this checkout")
    return SHARED / name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a real browser are slow, as they wait for it."""
    for item in items:
        if isinstance(item, pytest.Function) and "chromium" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans."""
    return _shared("data", "the real scans")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of cases from the field: small inputs, each as somebody met it."""
    return _shared("cases", "the cases from the field")


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    """One browser for all tests of pages."""
    if reason := browser.missing():
        needs.missing("BROWSER", reason)
    started = browser.Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()
