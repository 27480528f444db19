"""One file per slice: CT, MR and PET image storage, or secondary capture for colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
)

from .headers import (
    SLICE_THICKNESS,
    add_traps,
    decimals,
    general_header,
    item,
    pixel_header,
    window,
)
from .pixels import set_pixels
from .spec import Spec
from .truth import Phantom, Plane, uid

SOP_CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}


def slice_header(phantom: Phantom, plane: Plane) -> Dataset:
    """The header of one slice, without its pixels."""
    spec = phantom.spec
    sop_class = SecondaryCaptureImageStorage if spec.is_colour else SOP_CLASSES[spec.modality]
    header = general_header(phantom, sop_class, plane.sop_instance_uid, spec.modality)
    header.update(pixel_header(spec))
    header.update(
        item(
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
            InstanceNumber=str(plane.instance_number),
            AcquisitionNumber=str(plane.time_point + 1),
            ContentDate="20240229",
            ContentTime=f"1011{plane.time_point:02d}",
            PixelSpacing=decimals(*spec.pixel_spacing),
            ImagePositionPatient=decimals(*plane.position),
            ImageOrientationPatient=decimals(*plane.orientation),
            SliceThickness=decimals(SLICE_THICKNESS),
            SliceLocation=decimals(
                -np.dot(plane.position, np.cross(plane.orientation[:3], plane.orientation[3:]))
            ),
        )
    )
    header.update(modality_header(spec, plane))
    if spec.rescale:
        header.update(window(spec))
        header.RescaleSlope, header.RescaleIntercept = decimals(plane.slope, spec.rescale[1])
        header.RescaleType = "HU" if spec.modality == "CT" else "US"
    add_traps(header, phantom)
    return header


def modality_header(spec: Spec, plane: Plane) -> Dataset:
    """The few attributes of CT, MR and PET that tell a tilt, a time point or an echo."""
    if spec.modality == "CT":
        return item(KVP="120", GantryDetectorTilt=decimals(spec.tilt_degrees))
    if spec.modality == "PT":
        return item(
            Units="BQML",
            DecayCorrection="NONE",
            FrameReferenceTime=decimals(1000.0 * plane.time_point),
        )
    return item(
        ScanningSequence="SE",
        SequenceVariant="NONE",
        EchoNumbers=str(plane.echo + 1),
        EchoTime=decimals(12.5 * (plane.echo + 1)),
        RepetitionTime="900",
        TemporalPositionIdentifier=str(plane.time_point + 1),
        NumberOfTemporalPositions=str(spec.time_points),
    )


def write_slices(phantom: Phantom) -> None:
    """Write every slice of every volume, then the copies and the localizer that the spec asks
    for.
    """
    for volume, planes in enumerate(phantom.volumes):
        for slice, plane in enumerate(planes):
            write_slice(phantom, plane, phantom.stored(slice, volume))
    for number, path in enumerate(phantom.files()[: phantom.spec.duplicates]):
        (phantom.folder / f"copy {phantom.spec.seed} {number}").write_bytes(path.read_bytes())
    if phantom.spec.localizer:
        write_localizer(phantom)


def write_slice(phantom: Phantom, plane: Plane, stored: NDArray[np.int64]) -> None:
    """Write the file of one plane with these (rows, columns) stored values."""
    dataset = slice_header(phantom, plane)
    set_pixels(dataset, phantom.spec, stored[np.newaxis])
    path = phantom.folder / plane.file
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True, overwrite=False)


def write_localizer(phantom: Phantom) -> None:
    """A scout in the same series, at right angles to the stack and of another size."""
    spec, first = phantom.spec, phantom.planes[0]
    row, column = np.reshape(first.orientation, (2, 3))
    dataset = slice_header(phantom, first)
    scout = UID(uid(spec.seed, "localizer"))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = scout
    dataset.InstanceNumber = "999"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dataset.ImageOrientationPatient = decimals(*row, *-np.cross(row, column))
    dataset.Rows, dataset.Columns = 40, 32
    set_pixels(dataset, spec, np.full((1, 40, 32), spec.stored_range[1] // 2))
    dataset.save_as(
        phantom.folder / f"scout {spec.seed}.dcm", enforce_file_format=True, overwrite=False
    )
