"""Any painted labels → a `Mask`: the choice of the reader for a path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.document import model as documents
from sidecar.document.tag import image_key, split_name
from sidecar.errors import DocumentError, LabelError, UsageError
from sidecar.labels.files import LABEL_ENDINGS, label_files
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import Unidentified
from sidecar.labels.identity.resolver import Resolver
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.load import LoadOptions
from sidecar.labels.model import ImageReference
from sidecar.labels.readers import HEAD_BYTES, READERS
from sidecar.labels.references import png_in_name
from sidecar.masks.model import Mask
from sidecar.masks.readers import images, nifti_file, nrrd_file
from sidecar.masks.readers.regions import region_mask
from sidecar.masks.readers.voxels import voxel_painting
from sidecar.masks.relabel import Painting, mask_of
from sidecar.masks.segments import MaskConfig

#: Formats of painted images and volumes, by their names for ``--from``. All other formats are label
#: formats.
PAINTED = ("png", "tiff", "nrrd", "nifti")


def read_mask(
    paths: Sequence[Path],
    exports: Sequence[Export] = (),
    *,
    config: MaskConfig | None = None,
    options: LoadOptions | None = None,
) -> Mask:
    """The mask in files, or in the files of a folder.

    ``exports``: the exports that they may be painted on. Without them, the export beside or around
    the files.

    LabelError for masks that cannot be placed, UsageError for an unknown format, DocumentError
    where there is no sidecar.
    """
    options = options or LoadOptions()
    format = options.format
    if format is not None and format not in (*PAINTED, *READERS):
        raise UsageError(
            f"--from {format}: there is no such format; the formats are"
            f" {', '.join((*PAINTED, *READERS))}"
        )
    files = _files(paths, format)
    kinds = {format if format is not None else _kind(path) for path in files}
    painted = [kind for kind in PAINTED if kind in kinds]
    candidates = exports or _beside(paths)
    if not painted:
        return region_mask(files, candidates, config, options)
    if not candidates:
        raise DocumentError(
            f"there is no {documents.SIDECAR_NAME} beside {paths[0].name}; say where it is with"
            " --sidecar"
        )
    if len(kinds) > 1 or (kinds != {"png"} and len(files) > 1):
        raise LabelError(
            f"{len(files)} files ({' and '.join(sorted(filter(None, kinds)))}) cannot be read as"
            " one mask; give one file, or one folder of PNGs",
            files[1],
        )
    _refuse_options_of_labels(options)
    by_color = config is not None and config.by_color
    if painted[0] == "png":
        named = images.named_masks(files, candidates, options.trust_names)
        sidecar = named.export.sidecar
        return mask_of(images.png_painting(named.by_slice, sidecar, by_color), sidecar, config)
    export = _of_whole_stack(files[0], candidates, options.trust_names)
    painting = _painting(painted[0], files[0], export, by_color, options.trust_names)
    return mask_of(painting, export.sidecar, config)


def _refuse_options_of_labels(options: LoadOptions) -> None:
    """UsageError for options that have no meaning for painted images."""
    if options.reading.pixel_origin is not None:
        raise UsageError(
            "--pixel-origin is for outlines; painted pixels and voxels have no origin to choose,"
            " so leave it out"
        )
    if options.reading.slice_origin is not None:
        raise UsageError(
            "--slice-origin is for tables of slice numbers, not for painted images; leave it out"
        )
    if options.images is not None:
        raise UsageError(
            "--images is for label files; for painted masks, give only the files to take"
        )


def _of_whole_stack(path: Path, exports: Sequence[Export], trust_names: bool) -> Export:
    """The export of a mask that names no image. The name of the file may hold a tag, and its
    folder may hold another export.
    """
    parts = split_name(image_key(png_in_name(path, exports[0].png_stack) or ""))
    reference = ImageReference("", tag=parts and parts.tag)
    try:
        resolver = Resolver(path, Candidates(exports), Surroundings(), trust_names)
        (found,) = resolver.identify([reference])
    except Unidentified as error:
        raise LabelError(str(error), path) from None
    return exports[found.export]


def _beside(paths: Sequence[Path]) -> list[Export]:
    """The export whose ``sidecar.json`` lies beside masks, in a folder of masks, or in the
    folder that contains it. UsageError where there are several.
    """
    found = set()
    for path in paths:
        for place in [path, path.parent] if path.is_dir() else [path.parent]:
            if (place / documents.SIDECAR_NAME).is_file():
                found.add((place / documents.SIDECAR_NAME).resolve())
                break
    if len(found) > 1:
        raise UsageError(
            "the masks lie beside more than one sidecar.json, but a mask belongs to one export;"
            " give the masks of each export separately"
        )
    return [Export.open(place) for place in found]


def _painting(kind: str, path: Path, export: Export, by_color: bool, trust_names: bool) -> Painting:
    if kind == "tiff":
        return images.tiff_painting(path, export, by_color, trust_names)
    if by_color:
        raise UsageError(
            "the config identifies segments by colour, but a volume has values; give the segments"
            " values in the config"
        )
    return voxel_painting(
        nrrd_file.read_nrrd(path) if kind == "nrrd" else nifti_file.read_nifti(path),
        export.sidecar,
    )


def _files(paths: Sequence[Path], format: str | None) -> list[Path]:
    """The files that paths mean. For a folder these are either its label files or its PNGs.

    LabelError where it may be both, or has neither.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise LabelError("there is no such file or folder", path)
        found += _inside(path, format) if path.is_dir() else [path]
    return found


def _inside(folder: Path, format: str | None) -> list[Path]:
    is_export = (folder / documents.SIDECAR_NAME).is_file()
    labels = [
        p
        for p in folder.iterdir()
        if p.suffix.lower() in LABEL_ENDINGS and p.name not in (documents.SIDECAR_NAME, _INDEX)
    ]
    pngs = [] if is_export and format != "png" else images.mask_pngs(folder)
    if format == "png" or (pngs and not labels):
        if not pngs:
            raise LabelError("holds no PNGs; give the folder of the masks", folder)
        return pngs
    if pngs and format is None:
        raise LabelError(
            "holds PNGs and label files; give --from png to take the PNGs, or name the label files",
            folder,
        )
    if is_export and not labels:
        raise LabelError(
            "holds the exported PNGs, not masks; paint copies of them in another folder, and give"
            " that folder",
            folder,
        )
    return label_files([folder])


#: The file that `writers.png` writes beside its PNGs.
_INDEX = "labels.json"


def _kind(path: Path) -> str | None:
    """png, tiff, nrrd or nifti, by content. None for a file that may be a label file."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", path) from None
    if head.startswith(nrrd_file.MAGIC):
        return "nrrd"
    if path.name.lower().endswith(nifti_file.ENDINGS):
        return "nifti"
    if images.is_tiff(head):
        return "tiff"
    return "png" if images.is_png(head) else None
