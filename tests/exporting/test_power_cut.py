"""The power fails at any moment: what looks finished is finished, and all else is made good by the
same command.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.folders import contents
from kit.phantoms import Spec, write
from kit.power_cut import Moment, put_back, watched

import sidecar
from sidecar.document.model import JOURNAL
from sidecar.exporting.output_folder import LOCK
from sidecar.storage.whole_file import whole_file, write_unsynced

OLD, NEW = b"old" * 50, b"new" * 90


def states(moments: list[Moment], each: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every state that every moment may leave, of all ways ``each`` and three."""
    chance = random.Random(1)
    for moment in moments:
        for state in moment.states(chance, each):
            yield moment.event, state


def is_finished(state: dict[str, bytes]) -> bool:
    """Whether it looks finished. If so, all is there and whole."""
    if "sidecar.json" not in state:
        return False
    document = json.loads(state["sidecar.json"])
    for image in document["images"]["files"]:
        assert hashlib.sha256(state[image["name"]]).hexdigest() == image["sha256"]
    return True


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    write(Spec(columns=40, rows=36, slices=5, markers=False, junk=False), folder)
    return folder


def kept(folder: Path) -> dict[str, bytes]:
    """All but what nobody reads once there is a document: the lock, and a journal whose removal the
    disk has forgotten.
    """
    return {n: data for n, data in contents(folder).items() if n not in (LOCK, JOURNAL)}


@pytest.mark.parametrize("options", [{}, {"volume": "nrrd"}], ids=["plain", "volume"])
def test_an_export(scan: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    with watched(tmp_path / "png") as folder:
        sidecar.export(scan, tmp_path / "png", scale=0.5, **options)
    whole = kept(tmp_path / "png")
    found = list(states(folder.moments, 12))
    finished = [is_finished(state) for _, state in found]
    assert 5 < sum(finished) < len(finished) - 200, "the power failed before and after the end"
    for event, state in found:
        if "sidecar.json" in state:
            assert {n: d for n, d in state.items() if n in whole} == whole, event


@pytest.mark.slow
def test_the_same_command_goes_on(scan: Path, tmp_path: Path) -> None:
    with watched(tmp_path / "png") as folder:
        sidecar.export(scan, tmp_path / "png", scale=0.5)
    whole = kept(tmp_path / "png")
    different = {
        repr(sorted(state.items())): (event, state) for event, state in states(folder.moments, 12)
    }
    assert len(different) > 100
    for n, (event, state) in enumerate(random.Random(2).sample(list(different.values()), 40)):
        again = put_back(state, tmp_path / "after" / str(n))
        sidecar.export(scan, again, scale=0.5)
        assert kept(again) == whole, event


def test_an_export_that_replaces_another(scan: Path, tmp_path: Path) -> None:
    """The old one, the new one, or none; never the document of the one with PNGs of the other."""
    png = tmp_path / "png"
    sidecar.export(scan, png, scale=1.0)
    with watched(png) as folder:
        sidecar.export(scan, png, scale=0.5, overwrite=True)
    whole = kept(png)
    sizes = set()
    for _, state in states(folder.moments, 12):
        if is_finished(state):
            sizes.add(json.loads(state["sidecar.json"])["images"]["size"][0])
    assert sizes == {20, 40}
    unfinished = [(e, s) for e, s in states(folder.moments, 6) if not is_finished(s)]
    for n, (event, state) in enumerate(random.Random(3).sample(unfinished, 15)):
        again = put_back(state, tmp_path / "after" / str(n))
        sidecar.export(scan, again, scale=0.5, overwrite=True)
        assert kept(again) == whole, event


def by_whole_file(path: Path) -> None:
    with whole_file(path) as part:
        part.write_bytes(NEW)


@pytest.mark.parametrize("before", [{}, {"out": OLD}], ids=["new", "replaced"])
def test_one_file_is_the_old_one_or_the_new_one(tmp_path: Path, before: dict[str, bytes]) -> None:
    found = outcomes(tmp_path, by_whole_file, before)
    assert found == {before.get("out"), NEW}


def test_the_measure_a_file_that_is_not_synced_may_be_anything(tmp_path: Path) -> None:
    """What these tests would find: the name is there, and the content is not."""
    found = outcomes(tmp_path, lambda path: write_unsynced(str(path), NEW), {"out": OLD})
    assert {OLD, NEW, b"", bytes(len(NEW))} <= found


def outcomes(
    tmp_path: Path, writing: Callable[[Path], None], before: dict[str, bytes]
) -> set[bytes | None]:
    """What ``out`` may be after the power has failed, None for nothing."""
    put_back(before, tmp_path / "folder")
    with watched(tmp_path / "folder") as folder:
        writing(tmp_path / "folder" / "out")
    return {state.get("out") for _, state in states(folder.moments, 20)}
