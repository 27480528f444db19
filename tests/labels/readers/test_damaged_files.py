"""Files cut short, with a line missing, or with any one value replaced: read into finite points, or
refused with a LabelError; nothing else.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import ONE, STACK
from kit.tool_files.samples import DOCUMENTS, TEXTS, Sample

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import READERS

ODD_VALUES: list[Any] = [
    None,
    True,
    "x",
    "1,5",
    -1,
    1e308,
    float("nan"),
    10**400,
    [],
    [[]],
    [[1]],
    {},
    {"a": []},
    {"a": 1},
    ["a.png"],
    "1\x1e",
    "9" * 4500,
    2**64,
    0,
]
ODD_TEXTS = [
    "", "x", "nan", "-1", "1e308", '"', "&", "\n", ";", "[1]",
    "1\x1e", "9" * 4500, "0", "\u2028",
]  # fmt: skip


def survives(reader: str, path: Path) -> bool:
    """Whether the file was read; if so, into finite points with all columns of one length."""
    stack, origin = (ONE, "center") if reader == "imagej-xy" else (STACK, None)
    try:
        labels = READERS[reader].read(path, stack, ReadOptions(origin))
    except LabelError as error:
        assert str(path.parent) not in str(error)
        return False
    assert np.isfinite(labels.xy).all()
    assert not np.isinf(labels.slice).any()
    assert {len(column) for column in labels.columns.values()} <= {len(labels)}
    assert all(isinstance(cell, str) for column in labels.columns.values() for cell in column)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("sample", TEXTS, ids=lambda sample: sample.reader)
def test_cut_short_or_with_a_line_missing(tmp_path: Path, sample: Sample) -> None:
    path = tmp_path / sample.name
    for end in range(0, len(sample.text), 11):
        path.write_text(sample.text[:end], newline="")
        survives(sample.reader, path)
    lines = sample.text.splitlines(keepends=True)
    for n in range(len(lines)):
        path.write_text("".join(lines[:n] + lines[n + 1 :]), newline="")
        survives(sample.reader, path)
    path.write_text(sample.text, newline="")
    assert survives(sample.reader, path)


@pytest.mark.slow
@pytest.mark.parametrize("sample", TEXTS, ids=lambda sample: sample.reader)
@pytest.mark.parametrize("odd", ODD_TEXTS, ids=lambda odd: ascii(odd)[:10])
def test_text_with_any_value_replaced(tmp_path: Path, sample: Sample, odd: str) -> None:
    path, text = tmp_path / sample.name, sample.text
    for value in re.finditer(r'[^,;"<>=\s\t]+', text):
        path.write_bytes((text[: value.start()] + odd + text[value.end() :]).encode())
        survives(sample.reader, path)


def replaced(node: Any, odd: Any) -> Iterator[Any]:
    """The document with each of its nodes in turn replaced, and with each key in turn missing."""
    yield odd
    for key in (
        list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    ):
        for child in replaced(node[key], odd):
            changed = copy.copy(node)
            changed[key] = child
            yield changed
        if isinstance(node, dict):
            yield {other: value for other, value in node.items() if other != key}


@pytest.mark.slow
@pytest.mark.parametrize(("reader", "document"), DOCUMENTS)
@pytest.mark.parametrize("odd", ODD_VALUES, ids=lambda odd: ascii(odd)[:10])
def test_json_with_any_value_replaced(tmp_path: Path, reader: str, document: Any, odd: Any) -> None:
    path = tmp_path / "labels.json"
    for changed in replaced(document, odd):
        path.write_text(json.dumps(changed))
        survives(reader, path)
    path.write_text(json.dumps(document))
    assert survives(reader, path)
