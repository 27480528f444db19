"""All frames in one file: Enhanced CT, MR or PET. Frames stand in the order of their numbers,
seldom that of positions.

CT and PET keep what all frames share in the shared functional groups; MR repeats everything per
frame, as Philips does.
"""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, EnhancedPETImageStorage

from .headers import SLICE_THICKNESS, decimals, general_header, item, pixel_header, window
from .pixels import set_pixels
from .spec import Spec
from .truth import Phantom, Plane, uid

SOP_CLASSES = {
    "CT": EnhancedCTImageStorage,
    "MR": EnhancedMRImageStorage,
    "PT": EnhancedPETImageStorage,
}
FRAME_TYPE = {
    "CT": "CTImageFrameTypeSequence",
    "MR": "MRImageFrameTypeSequence",
    "PT": "PETFrameTypeSequence",
}
IMAGE_TYPE = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]


def enhanced_header(phantom: Phantom) -> Dataset:
    """The header of the whole file, without its pixels."""
    spec = phantom.spec
    header = general_header(
        phantom, SOP_CLASSES[spec.modality], phantom.planes[0].sop_instance_uid, spec.modality
    )
    header.update(pixel_header(spec))
    dimensions = uid(spec.seed, "dimensions")
    frames = sorted(
        ((plane, slice) for planes in phantom.volumes for slice, plane in enumerate(planes)),
        key=lambda frame: frame[0].frame_number or 0,
    )
    header.update(
        item(
            ImageType=IMAGE_TYPE,
            InstanceNumber="1",
            ContentDate="20240229",
            ContentTime="101112",
            AcquisitionDateTime="20240229101112",
            AcquisitionNumber="1",
            PixelPresentation="MONOCHROME",
            VolumetricProperties="VOLUME",
            VolumeBasedCalculationTechnique="NONE",
            PresentationLUTShape="IDENTITY" if spec.photometric == "MONOCHROME2" else "INVERSE",
            BurnedInAnnotation="NO",
            LossyImageCompression="00",
            NumberOfFrames=str(len(frames)),
            DimensionOrganizationSequence=[item(DimensionOrganizationUID=dimensions)],
            DimensionIndexSequence=[
                item(
                    DimensionOrganizationUID=dimensions,
                    DimensionIndexPointer=pointer,
                    FunctionalGroupPointer=group,
                )
                for pointer, group in dimension_pointers(spec)
            ],
            SharedFunctionalGroupsSequence=[Dataset()],
            PerFrameFunctionalGroupsSequence=[
                frame_group(spec, plane, slice) for plane, slice in frames
            ],
        )
    )
    shared = header.SharedFunctionalGroupsSequence[0]
    shared.update(item(**{FRAME_TYPE[spec.modality]: [item(FrameType=IMAGE_TYPE, **pixel_type())]}))
    if spec.modality != "MR":
        shared.update(plane_group(spec, phantom.planes[0]))
    return header


def pixel_type() -> dict[str, str]:
    return {
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": "NONE",
    }


def dimension_pointers(spec: Spec) -> list[tuple[int, int]]:
    """Tags of what the frames are counted by, and of the functional group each stands in: position,
    then time, then echo.
    """
    position, time, frame_content = 0x00209057, 0x00209128, 0x00209111
    effective_echo_time, echo = 0x00189082, 0x00189114
    return [
        (position, frame_content),
        *([(time, frame_content)] if spec.time_points > 1 else []),
        *([(effective_echo_time, echo)] if spec.echoes > 1 else []),
    ]


def plane_group(spec: Spec, plane: Plane) -> Dataset:
    """Functional groups that place a plane, but for its position."""
    return item(
        PixelMeasuresSequence=[
            item(
                PixelSpacing=decimals(*spec.pixel_spacing), SliceThickness=decimals(SLICE_THICKNESS)
            ),
        ],
        PlaneOrientationSequence=[item(ImageOrientationPatient=decimals(*plane.orientation))],
    )


def frame_group(spec: Spec, plane: Plane, slice: int) -> Dataset:
    """The functional groups of one frame."""
    counts = [
        slice + 1,
        *([plane.time_point + 1] if spec.time_points > 1 else []),
        *([plane.echo + 1] if spec.echoes > 1 else []),
    ]
    group = item(
        FrameContentSequence=[
            item(
                StackID="1",
                InStackPositionNumber=slice + 1,
                TemporalPositionIndex=plane.time_point + 1,
                DimensionIndexValues=counts if len(counts) > 1 else counts[0],
                FrameAcquisitionNumber=plane.time_point + 1,
            )
        ],
        PlanePositionSequence=[item(ImagePositionPatient=decimals(*plane.position))],
    )
    if spec.rescale:
        slope, intercept = decimals(plane.slope, spec.rescale[1])
        rescale_type = "HU" if spec.modality == "CT" else "US"
        group.PixelValueTransformationSequence = [
            item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType=rescale_type)
        ]
        group.FrameVOILUTSequence = [window(spec)]
    if spec.modality == "MR":
        group.update(plane_group(spec, plane))
        group.MREchoSequence = [item(EffectiveEchoTime=12.5 * (plane.echo + 1))]
    return group


def write_enhanced(phantom: Phantom) -> None:
    """Write the one file, every frame in the place that its number gives it."""
    dataset = enhanced_header(phantom)
    numbered = {
        plane.frame_number: phantom.stored(slice, volume)
        for volume, planes in enumerate(phantom.volumes)
        for slice, plane in enumerate(planes)
    }
    set_pixels(
        dataset, phantom.spec, np.stack([numbered[number + 1] for number in range(len(numbered))])
    )
    path = phantom.folder / phantom.planes[0].file
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True, overwrite=False)
