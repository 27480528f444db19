"""NIfTI-1 label volumes (.nii, .nii.gz), RAS, written slice by slice."""

from __future__ import annotations

from pathlib import Path

from sidecar.formats.volume_files import SHEARED_NIFTI, gzipped, nifti_header, write_nifti
from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.masks.mapped import MappedMask
from sidecar.masks.writers.model import MaskWriter, size_text
from sidecar.progress import Progress
from sidecar.storage.whole_file import without_part


def check(mask: MappedMask, headers: HeaderSource | None) -> tuple[str, ...]:
    volume = mask.volume("NIfTI")
    nifti_header(volume)
    size = (
        f"{' × '.join(map(str, volume.size))} voxels, {size_text(volume.bytes)} before compression,"
        " written slice by slice"
    )
    names = ", ".join(f"{segment.value} = {segment.name}" for segment in mask.segments[:8])
    return (
        size,
        f"NIfTI keeps no names of labels, only their values: {names}",
        *([SHEARED_NIFTI] if volume.is_sheared else []),
    )


def write(mask: MappedMask, path: Path, headers: HeaderSource | None, progress: Progress) -> None:
    progress.start("writing slices", mask.size[2])
    with path.open("wb") as file:
        if is_packed(path):
            with gzipped(file) as stream:
                write_nifti(stream, mask.watched(progress), mask.volume("NIfTI"))
        else:
            write_nifti(file, mask.watched(progress), mask.volume("NIfTI"))


def is_packed(path: Path) -> bool:
    """Whether the file will be .nii.gz, also while it still has the name of a part."""
    return without_part(path.name).lower().endswith(".gz")


WRITER = MaskWriter("nifti", (".nii", ".nii.gz"), check, write)
