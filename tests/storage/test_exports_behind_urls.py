"""Exports from and to URLs: the same bytes as on a disk, resumed, and what is not ours not touched."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.folders import contents
from kit.phantoms import Spec, write
from kit.stores import Store
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

import sidecar
from sidecar.errors import OutputError, SourceError
from sidecar.exporting.images.make_png import render
from sidecar.exporting.images.workers import Workers
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export, run_job
from sidecar.storage.locate import locate


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        Spec(),
        Spec(layout="enhanced", transfer_syntax=RLELossless),
        Spec(layout="enhanced", transfer_syntax=ImplicitVRLittleEndian),
        Spec(transfer_syntax=JPEGLSLossless),
        Spec(transfer_syntax=DeflatedExplicitVRLittleEndian),
        Spec(photometric="PALETTE COLOR", bits_stored=8, rescale=None),
    ],
    ids=lambda spec: f"{spec.layout} {UID(spec.transfer_syntax).name} {spec.photometric}",
)
@pytest.mark.parametrize(
    "options",
    [{"scale": 0.5, "z_step": 2}, {"bits": 16, "plane": "coronal"}],
    ids=["stored", "coronal"],
)
def test_the_same_bytes_as_on_a_disk(
    spec: Spec, options: dict[str, Any], memory: Store, tmp_path: Path
) -> None:
    if spec.photometric != "MONOCHROME2":
        options = {**options, "bits": 8}
    write(spec, tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    assert sidecar.inspect(url).facts() == sidecar.inspect(tmp_path / "scan").facts()
    here = sidecar.export(tmp_path / "scan", tmp_path / "png", **options)
    for source, output in [
        (url, f"{memory.url}/png"),
        (tmp_path / "scan", f"{memory.url}/mixed"),
        (url, tmp_path / "from url"),
    ]:
        sidecar.export(source, output, **options)
    assert (
        memory.contents("png")
        == memory.contents("mixed")
        == contents(tmp_path / "from url")
        == contents(tmp_path / "png")
    )
    there = sidecar.open(f"{memory.url}/png")
    assert there.document == here.document
    assert np.array_equal(there.to_patient([[3, 4]], slice=1), here.to_patient([[3, 4]], slice=1))


def test_a_config_may_name_urls_beside_paths(
    memory: Store, tmp_path: Path, run: CommandLine
) -> None:
    write(Spec(), tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    entries = [{"source": url, "output": "one"}, {"source": "scan", "output": f"{memory.url}/two"}]
    (tmp_path / "config.yaml").write_text(json.dumps({"scale": 0.5, "sources": entries}))
    run.done("export", "--config", tmp_path / "config.yaml")
    assert contents(tmp_path / "one") == memory.contents("two")
    told = run.done("export", "--config", tmp_path / "config.yaml").err
    assert told.count("an earlier run finished it, from the same source with the same options") == 2
    for name in ("one", "two"):
        assert f" to {name}: an earlier run finished it" in told
    assert contents(tmp_path / "one") == memory.contents("two")


def test_what_is_not_ours_is_not_touched(memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    memory.fs.pipe_file(f"{memory.base}/png/thesis.docx", b"years of work")
    with pytest.raises(OutputError, match="png holds files that do not belong to an export"):
        sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert memory.contents("png") == {"thesis.docx": b"years of work"}
    sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.5)
    with pytest.raises(OutputError, match="finished export"):
        sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.25)
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.25)
    sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.25, overwrite=True)
    assert memory.contents("whole") == contents(tmp_path / "png")


def stop_half_way(
    monkeypatch: pytest.MonkeyPatch, source: object, output: object, **options: Any
) -> None:
    def until_full(recipe: Any, task: Any) -> Any:
        if task.index >= 4:
            raise OutputError("the disk is full")
        return render(recipe, task)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="disk is full"):
        patch.setattr("sidecar.exporting.run.render", until_full)
        sidecar.export(source, output, **options)


def test_a_changed_source_is_refused(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    stop_half_way(monkeypatch, url, f"{memory.url}/png", scale=0.5)
    memory.put(tmp_path / "scan", "scan")
    with pytest.raises(OutputError, match=r"unfinished export\. It is of another source"):
        sidecar.export(url, f"{memory.url}/png", scale=0.5)


def test_an_object_that_is_replaced_during_the_export_is_noticed(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")

    def replacing(recipe: Any, task: Any) -> Any:
        if task.index == 4:
            memory.put(tmp_path / "scan", "scan")
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", replacing)
    with pytest.raises(SourceError, match=r"no longer the one|changed after the headers were read"):
        sidecar.export(url, tmp_path / "png", scale=0.5, window=(0.0, 100.0))
    assert not (tmp_path / "png" / "sidecar.json").exists()


def test_cutting_across_on_a_cluster_needs_a_shared_folder(memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    (job,) = plan_export(
        tmp_path / "scan", locate(f"{memory.url}/png"), make_options(scale=0.5, plane="coronal")
    )
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(OutputError, match="file system that all its machines share"),
    ):
        run_job(job, workers=Workers(executor, 1, lost=(ConnectionError,)))


def test_a_volume_beside_the_pngs(memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    for output in (tmp_path / "png", f"{memory.url}/png"):
        sidecar.export(tmp_path / "scan", output, scale=0.5, volume="nrrd")
    assert memory.contents("png") == contents(tmp_path / "png")
    assert "volume.nrrd" in memory.contents("png")
