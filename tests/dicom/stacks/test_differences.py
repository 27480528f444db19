"""What sets many stacks apart is worked out once for all of them: calls are counted, never the
clock.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kit.counted_calls import calls_of

from sidecar.dicom.stacks.differences import Aspect, apart, numbered, plain, short_uid


@pytest.mark.parametrize("say", [plain, short_uid, numbered])
def test_values_of_many_groups_take_as_many_calls_each_as_those_of_few(say: Any) -> None:
    aspects = [Aspect("file", lambda frame: frame.file, say)]
    calls = []
    for count in (25, 100):
        groups: list[Any] = [[SimpleNamespace(file=f"1.2.{k + 1}")] for k in range(count)]
        assert len({one.here for (one,) in apart(aspects, groups)}) == count
        calls.append(calls_of(lambda groups=groups: apart(aspects, groups)))  # type: ignore[misc]
    few, many = calls
    assert many <= 4 * few + 40
