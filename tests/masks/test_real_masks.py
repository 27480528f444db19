"""A real segmentation by other software (dcmqi), painted on the PNGs of its CT, comes back as it
was.
"""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pytest
from kit.map_masks import map_mask
from kit.painted_masks import dice, paint
from numpy.typing import NDArray

from sidecar import export
from sidecar.mapping import Sidecar


def frames(path: Path, sidecar: Sidecar) -> NDArray[np.bool_]:
    """(slices, rows, columns) of the first segment, each on the instance of its slice, by
    highdicom.
    """
    uids = [plane.sop_instance_uid for plane in sidecar.document.source.planes]
    seg = highdicom.seg.segread(path)
    pixels = seg.get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True, ignore_spatial_locations=True
    )
    return np.asarray(pixels[..., 0].astype(bool))


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.filterwarnings("ignore::UserWarning")  # by highdicom, of what the real file lacks
def test_a_real_liver(scale: float, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ct_seg_liver"
    sidecar = export(folder / "ct", tmp_path / "png", scale=scale, z_step=1)
    true = frames(folder / "seg" / "liver.dcm", sidecar)
    step = round(1 / scale)
    blocks = (
        true.reshape(len(true), true.shape[1] // step, step, true.shape[2] // step, step).mean(
            axis=(2, 4)
        )
        >= 0.5
    )
    masks = paint(tmp_path / "masks", blocks.astype(np.uint8), sidecar)
    back = frames(map_mask(masks, tmp_path / "back.dcm", sidecar, dicom=folder / "ct"), sidecar)
    np.testing.assert_array_equal(back, np.kron(blocks, np.ones((1, step, step), dtype=bool)))
    assert dice(back, true) == 1.0 if scale == 1 else dice(back, true) > 0.99
