"""The browser of the viewer's tests."""

from viewer.conftest import chromium

__all__ = ["chromium"]
