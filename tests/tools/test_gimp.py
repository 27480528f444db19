"""The real GIMP, in batch: masks of every kind of PNG that it writes, and its paths.

GIMP itself finds the bright things, by Select by Color; where they are is known from the voxels
that the scan was made of.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import slicerio
from kit.exports import png_names
from kit.marked_scan import BLOCK, BLOCK_SLICE, DISC_SLICE, DOTS, DOTS_SLICE, values
from kit.needs import installed
from kit.pages import DOCS
from PIL import Image

import sidecar

pytestmark = [pytest.mark.tools, pytest.mark.slow]

#: Seconds in which a script is done, on a busy machine too.
PATIENCE = 300

FUNCTIONS = """
(define (seen in)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (shown (car (gimp-image-get-active-layer image))))
    (gimp-context-set-antialias FALSE)
    (gimp-context-set-feather FALSE)
    (gimp-context-set-sample-threshold-int 15)
    (gimp-image-select-color image CHANNEL-OP-REPLACE shown '(255 255 255))
    image))
(define (paint image type color background)
  (let* ((width (car (gimp-image-width image))) (height (car (gimp-image-height image)))
         (layer (car (gimp-layer-new image width height type "mask" 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 -1)
    (gimp-context-set-background '(0 0 0))
    (gimp-drawable-fill layer background)
    (gimp-context-set-foreground color)
    (gimp-edit-fill layer FILL-FOREGROUND)))
(define (below image) (vector-ref (cadr (gimp-image-get-layers image)) 1))
(define (alone image) (gimp-image-remove-layer image (below image)))
(define (put image out)
  (let* ((layer (car (gimp-image-get-active-layer image))))
    (file-png-save RUN-NONINTERACTIVE image layer out out 0 9 1 1 1 1 1)))
"""
RGB, RGBA = (
    f"(gimp-image-convert-rgb image) (paint image {kind}-IMAGE '(200 10 20) FILL-{fill})"
    for kind, fill in (("RGB", "BACKGROUND"), ("RGBA", "TRANSPARENT"))
)
INDEXED = "(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-{} FALSE TRUE {})"
#: What is painted on the image, the mode and depth of the PNG, and what our label is called.
KINDS = {
    "gray": ("(paint image GRAY-IMAGE '(7 7 7) FILL-BACKGROUND) (alone image)", "L", 8, "label 7"),
    "gray of 16 bits": (
        "(gimp-image-convert-precision image PRECISION-U16-GAMMA)"
        "(paint image GRAY-IMAGE '(7 7 7) FILL-BACKGROUND) (alone image)",
        "I;16",
        16,
        "label 1799",
    ),
    "gray, transparent": (
        "(paint image GRAYA-IMAGE '(7 7 7) FILL-TRANSPARENT) (alone image)",
        "LA",
        8,
        "label 7",
    ),
    "RGB": (f"{RGB} (alone image)", "RGB", 8, "#c80a14"),
    "RGB, transparent": (f"{RGBA} (alone image)", "RGBA", 8, "#c80a14"),
    "indexed": (
        f"{RGB} (alone image) {INDEXED.format('GENERATE 255', chr(34) * 2)}",
        "P",
        None,
        "label 1",
    ),
    "1 bit": (
        "(paint image GRAY-IMAGE '(255 255 255) FILL-BACKGROUND) (alone image)"
        + INDEXED.format("MONO 2", '""'),
        "P",
        1,
        "label 1",
    ),
    "layers, flattened": (
        f"{RGBA} (gimp-context-set-foreground '(0 0 0))"
        "(gimp-drawable-fill (below image) FILL-FOREGROUND) (gimp-image-flatten image)",
        "RGB",
        8,
        "#c80a14",
    ),
}


def gimp(script: str, folder: Path) -> None:
    """Run a script in a GIMP that knows no settings."""
    command = [installed("gimp-console"), "--no-interface", "--no-data", "--no-fonts"]
    command += ["--batch-interpreter=plug-in-script-fu-eval"]
    done = subprocess.run(
        [*command, "--batch", f"{FUNCTIONS}{script}(gimp-quit 0)"],
        env={**os.environ, "GIMP2_DIRECTORY": str(folder / "gimp")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "Error" not in done.stdout + done.stderr, done.stdout + done.stderr


def quoted(path: Path) -> str:
    return f'"{path}"'


def test_the_page_says_which_version_was_seen() -> None:
    command = [installed("gimp-console"), "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"version {told.split()[-1]}," in (DOCS / "tools" / "gimp.md").read_text("utf-8")


@pytest.fixture(scope="module")
def masks(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of masks of each kind, all made in one run."""
    made = tmp_path_factory.mktemp("masks")
    name = png_names(marked)[3]
    script = ""
    for kind, (steps, *_) in KINDS.items():
        (made / kind).mkdir()
        script += f"(let* ((image (seen {quoted(marked / name)}))) {steps}"
        script += f"(put image {quoted(made / kind / name)}))"
    gimp(script, made)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_comes_back(masks: Path, marked: Path, tmp_path: Path, kind: str) -> None:
    _, mode, depth, label = KINDS[kind]
    (path,) = (masks / kind).iterdir()
    with Image.open(path) as written:
        assert written.mode == mode
    assert depth in (None, path.read_bytes()[24]), "bits, in IHDR"
    sidecar.map_mask(masks / kind, tmp_path / "made.seg.nrrd", marked)
    read = slicerio.read_segmentation(str(tmp_path / "made.seg.nrrd"))
    (segment,) = read["segments"]
    assert segment["name"] == label
    found = read["voxels"][:, :, DISC_SLICE] == segment["labelValue"]
    np.testing.assert_array_equal(found.T, values()[DISC_SLICE] > 0)


PATHS = """
(define (trace image name closed anchors)
  (let* ((vectors (car (gimp-vectors-new image name)))
         (each (apply append (map (lambda (a) (append a a a)) anchors))))
    (gimp-image-insert-vectors image vectors 0 -1)
    (gimp-vectors-stroke-new-from-points
      vectors VECTORS-STROKE-TYPE-BEZIER (length each) (list->vector each) closed)))
(define (edges image) (cdr (gimp-selection-bounds image)))
(let* ((image (seen %(dots)s)) (e (edges image)) (dot (list (+ (car e) 0.5) (+ (cadr e) 0.5))))
  (trace image "dot" FALSE (list dot))
  (gimp-vectors-export-to-file image %(dots_svg)s 0))
(let* ((image (seen %(block)s)) (e (edges image))
       (left (car e)) (top (cadr e)) (right (caddr e)) (bottom (cadddr e)))
  (trace image "block" TRUE
    (list (list left top) (list right top) (list right bottom) (list left bottom)))
  (trace image "edge" FALSE (list (list left top) (list right bottom)))
  (gimp-vectors-export-to-file image %(block_svg)s 0))
"""


def test_paths_come_back(marked: Path, tmp_path: Path) -> None:
    _, dots, block, _ = png_names(marked)
    svgs = [(tmp_path / name).with_suffix(".svg") for name in (dots, block)]
    files = {"dots": marked / dots, "block": marked / block}
    files |= dict(zip(("dots_svg", "block_svg"), svgs, strict=True))
    gimp(PATHS % {name: quoted(path) for name, path in files.items()}, tmp_path)
    points = sidecar.map_points(svgs, marked)
    found: dict[str, list[list[float]]] = {}
    for label, place in zip(points["label"], points.source.tolist(), strict=True):
        found.setdefault(label, []).append(place)
    left, top, right, bottom = BLOCK
    edge = [(left, top, BLOCK_SLICE), (right, bottom, BLOCK_SLICE)]
    other = [(right, top, BLOCK_SLICE), (left, bottom, BLOCK_SLICE)]
    assert set(found) == {"dot", "edge", "block"}
    np.testing.assert_allclose(found["dot"], [(*DOTS[0], DOTS_SLICE)], atol=1e-6)
    np.testing.assert_allclose(found["edge"], edge, atol=1e-6)
    np.testing.assert_allclose(sorted(found["block"]), sorted(edge + other), atol=1e-6)
