"""Parsers of documents, ours and others': what they give is whole, or one error says why not."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import yaml
from kit import zips
from kit.label_truth import STACK
from kit.made_exports import GEOMETRIES, oblique_sidecar
from kit.phantoms import Spec, write
from kit.tool_files import yolo
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fuzz.target import RefusedError, Target, refusals, written
from sidecar.api import export
from sidecar.document.model import JOURNAL
from sidecar.document.writing import as_text
from sidecar.document.zoom_list import ZOOMS_NAME, ZoomFolder, ZoomList, as_json, read_zooms
from sidecar.exporting.config import load_config
from sidecar.exporting.output_folder import journal_digest
from sidecar.formats.png_text import read_head
from sidecar.labels.mapped_file import read_points
from sidecar.labels.project import project_file
from sidecar.labels.readers import READERS
from sidecar.mapping import Sidecar
from sidecar.masks.segments import load_mask_config
from sidecar.storage.archive import Archive
from sidecar.storage.local import Local

#: Bytes of members of a zip that are unpacked: more is a matter of size, not of kind.
_MOST_UNPACKED = 1 << 22


def _documents() -> list[bytes]:
    """Documents as they are written, and without the digest that would tell every change."""
    found = []
    for made in GEOMETRIES.values():
        text = as_text(made.sidecar().document)
        unsealed = json.loads(text)
        unsealed.pop("digest", None)
        found += [text.encode(), json.dumps(unsealed).encode()]
    return found


def _attempt_document(data: bytes, folder: Path) -> None:
    """A document that is taken maps its own corners, there and back."""
    written(folder, "sidecar.json", data)
    with refusals(folder):
        png = Sidecar.open(folder)
    names = [file.name for file in png.document.images.files]
    assert not any("/" in name or "\\" in name or name.startswith(".") for name in names)
    columns, rows, count = png.size
    xy = np.array([[0.0, 0.0], [columns - 1, rows - 1]])
    slices = np.array([0.0, count - 1])
    source = png.to_source(xy, slices)
    back, k = png.from_source(source)
    near = 1e-6 * max(columns, rows, count)
    assert np.abs(back - xy).max() < near and np.abs(k - slices).max() < near
    if png.stack is not None and png.geometry == "patient":
        assert np.isfinite(png.to_patient(xy, slices)).all()
    assert len(png.instances(source).sop_instance_uid) == 2


def _zoom_lists() -> list[bytes]:
    zooms = [ZoomFolder(folder=f"00{n}_a", label="a", tag="bcdfgh") for n in (1, 2)]
    return [as_json(ZoomList(tuple(zooms), page)) for page in (None, "zooms.html")]


def _attempt_zoom_list(data: bytes, folder: Path) -> None:
    written(folder, ZOOMS_NAME, data)
    with refusals(folder):
        found = read_zooms(Local(str(folder)))
    assert found is not None and found.zooms
    assert not any("/" in zoom.folder or "\\" in zoom.folder for zoom in found.zooms)


def _export_configs() -> list[bytes]:
    one = {"source": "scan", "output": "png", "scale": 0.5, "z_step": 2, "window": "auto",
           "specimen": "beetle-7", "crop": "0:40,0:36,0:5", "bits": 16}  # fmt: skip
    several = {"scale": 0.5, "sources": [{"source": "a", "output": "b"},
               {"source": "c", "output": "d", "specimen": "x"}]}  # fmt: skip
    return [yaml.safe_dump(config).encode() for config in (one, several)]


def _attempt_export_config(data: bytes, folder: Path) -> None:
    path = written(folder, "specimens.yaml", data)
    with refusals(folder):
        jobs = load_config(path)
    assert jobs


def _mask_configs() -> list[bytes]:
    femur = {"name": "femur", "value": 1, "type": ["SCT", "71341001", "Femur"]}
    skull = {"name": "skull", "value": 2, "color": "#e63c32"}
    by_color = [{"name": "a", "color": [1, 2, 3]}, {"name": "b", "color": [4, 5, 6]}]
    return [
        yaml.safe_dump({"segments": segments}).encode() for segments in ([femur, skull], by_color)
    ]


def _attempt_mask_config(data: bytes, folder: Path) -> None:
    path = written(folder, "bones.yaml", data)
    with refusals(folder):
        segments = load_mask_config(path).as_segments()
    assert len({segment.value for segment in segments}) == len(segments)


def _journals() -> list[bytes]:
    """What a killed export leaves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(Spec(columns=20, rows=18, slices=3, markers=False), folder / "scan")

        class Killed:
            def start(self, what: str, total: int | None) -> None: ...

            def advance(self, count: int, size: int) -> None:
                if size:  # of a PNG
                    raise KeyboardInterrupt

        try:
            export(folder / "scan", folder / "png", scale=1.0, progress=Killed())
        except KeyboardInterrupt:
            return [(folder / "png" / JOURNAL).read_bytes()]
    raise AssertionError("the export was not interrupted")


def _attempt_journal(data: bytes, folder: Path) -> None:
    written(folder, JOURNAL, data)
    digest = journal_digest(Local.at(folder))
    if digest is None:
        raise RefusedError("no journal")
    assert isinstance(digest, str)


def _zips() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "scan"
        write(Spec(columns=20, rows=18, slices=3, markers=False), folder)
        found = [
            zips.zipped(folder, *methods, zip64=zip64).read_bytes()
            for methods in ((zips.STORED,), (zips.DEFLATED,))
            for zip64 in (False, True)
        ]
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        archive.writestr("a/b.dcm", b"abc")
        archive.writestr("ü.dcm", b"")
    return [small.getvalue(), *found]


def _attempt_zip(data: bytes, folder: Path) -> None:
    """Names lead nowhere else, and members have the size that the directory says."""
    archive = Archive(Local.at(written(folder, "scan.zip", data)))
    with refusals(folder):
        names = archive.listing().files
        for name in names:
            assert not name.startswith("/") and ".." not in name.split("/")
            member = archive / name
            size = member.stamp()[0]
            if size <= _MOST_UNPACKED:
                try:
                    assert len(member.read_bytes()) == size
                except OSError as error:
                    raise RefusedError("a member that is damaged") from error


def _tables() -> list[bytes]:
    return [
        b"label,x_mm,y_mm,z_mm,uncertainty_mm,space\na,1,2,3,0.5,LPS\nb,4,5.5,-6e0,0.5,RAS\n",
        'label;x_mm;y_mm;z_mm;uncertainty_mm;space\n"a;b";1,5;2;3;0,5;LPS\n'.encode("utf-8-sig"),
        b"label,source_column,source_row,source_slice\na,1,2,3\nb,20,10,4\n",
    ]


def _attempt_points(data: bytes, folder: Path) -> None:
    with refusals(folder):
        points = read_points(written(folder, "mapped.csv", data))
        points.shapes()
    assert np.isfinite(points.mm).all() and (points.uncertainty_mm >= 0).all()


def _attempt_projection(data: bytes, folder: Path) -> None:
    path = written(folder, "points.csv", data)
    with refusals(folder):
        found = project_file(path, oblique_sidecar(), allow_outside=True)
    assert np.isfinite(found.png).all() or not len(found.png)
    assert {len(column) for column in found.columns.values()} <= {len(found.png)}


def _pngs() -> list[bytes]:
    texts = PngInfo()
    texts.add_text("tag", "gjgbtf")
    texts.add_text("Software", "sidecar")
    file = io.BytesIO()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(file, "PNG", pnginfo=texts)
    return [file.getvalue()]


def _attempt_png_head(data: bytes, folder: Path) -> None:
    head = read_head(io.BytesIO(data))
    if head is None:
        raise RefusedError("no PNG")
    assert head.size == struct.unpack_from(">2L", data, 16)


def _yolo_configs() -> list[bytes]:
    return [
        b"names:\n  0: nose\n  1: ear\nkpt_shape: [3, 2]\ntrain: images\n",
        b"names: [nose, ear]\nnc: 2\n",
    ]


def _attempt_yolo_config(data: bytes, folder: Path) -> None:
    written(folder, "data.yaml", data)
    path = written(folder, "slice_0003.txt", yolo.box(0, 60, 50, 100, 60).encode())
    with refusals(folder):
        READERS["yolo"].read(path, STACK, None)


TARGETS = [
    Target("sidecar.json", _documents, _attempt_document),
    Target("zooms.json", _zoom_lists, _attempt_zoom_list),
    Target("export config", _export_configs, _attempt_export_config),
    Target("mask config", _mask_configs, _attempt_mask_config),
    Target("journal", _journals, _attempt_journal),
    Target("zip", _zips, _attempt_zip),
    Target("mapped points", lambda: _tables()[:2], _attempt_points),
    Target("points to project", _tables, _attempt_projection),
    Target("PNG head", _pngs, _attempt_png_head),
    Target("YOLO data.yaml", _yolo_configs, _attempt_yolo_config),
]
