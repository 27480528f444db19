"""Readers of label files, one small module for each tool. To add a tool, add it to `READERS`."""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import LabelError, UsageError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers import (
    coco,
    cvat,
    deeplabcut,
    deeplabcut_h5,
    generic_csv,
    gimp_svg,
    imagej,
    imagej_roi,
    imagej_tiff,
    imagej_xy,
    label_studio,
    label_studio_tables,
    labelme,
    makesense,
    napari,
    point_sets,
    qupath,
    slicer,
    tps,
    via,
    voc,
    yolo,
)
from sidecar.labels.references import export_of_brushes
from sidecar.labels.tables.csv_table import delimiter_of
from sidecar.labels.text import first_filled_line, head_text

#: Name of a format for ``--from`` → its reader.
READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        generic_csv.READER,
        imagej.READER,
        imagej_xy.READER,
        imagej_roi.READER,
        imagej_tiff.READER,
        labelme.READER,
        cvat.READER,
        coco.READER,
        label_studio.READER,
        label_studio_tables.READER,
        via.READER,
        makesense.READER,
        makesense.READER_LINES,
        makesense.READER_BOXES,
        napari.READER,
        qupath.READER,
        gimp_svg.READER,
        *slicer.READERS,
        yolo.READER,
        voc.READER,
        deeplabcut.READER,
        deeplabcut_h5.READER,
        tps.READER,
        *point_sets.READERS,
    )
}

HEAD_BYTES = 1 << 16


def read_head(path: Path) -> bytes:
    """The start of a file, for recognition. LabelError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", path) from None


def reader_for(path: Path, name: str | None = None) -> Reader:
    """The reader of a file: the reader ``name``, or the only one that recognises the content.

    Raises UsageError for an unknown name, LabelError if no reader or more than one recognises the
    file.
    """
    if name is not None:
        if name not in READERS:
            raise UsageError(
                f"--from {name}: there is no such format; the formats are"
                f" {', '.join(sorted(READERS))}"
            )
        return READERS[name]
    head = read_head(path)
    fitting = [
        reader
        for reader in READERS.values()
        if reader is not generic_csv.READER and reader.recognises(path, head)
    ]
    if not fitting and generic_csv.READER.recognises(
        path, head
    ):  # the format of a table that no tool recognises
        fitting = [generic_csv.READER]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise LabelError(
            f"could be {' or '.join(r.name for r in fitting)}; choose with --from", path
        )
    lacking = generic_csv.lacking(head)
    raise LabelError(
        f"is not a label file that sidecar recognises{f'. {lacking}. If' if lacking else '; if'} it"
        " is one of a label tool, name its format with --from"
        f" {'|'.join(sorted(READERS))}{export_of_brushes(path.name)}{_packed(head)}"
        f"{_saved_again(head)}",
        path,
    )


def _packed(head: bytes) -> str:
    """Advice for a zip, as servers of label tools hand out their exports, and for a spreadsheet,
    which is a zip, too; "" for any other file.
    """
    if not head.startswith(b"PK\x03\x04"):
        return ""
    if any(name in head[:200] for name in (b"[Content_Types].xml", b"opendocument.spreadsheet")):
        return "; it is a spreadsheet: save the table as CSV"
    return "; it is a zip: unpack it, and give the label files in it"


def _saved_again(head: bytes) -> str:
    """Advice for a table that a spreadsheet may have saved again, "" for any other file."""
    first = first_filled_line(head_text(head))
    delimiter = delimiter_of(first)
    between = {";": "semicolons", "\t": "tabs"}.get(delimiter)
    if between is None or first.count(delimiter) < 2 or not first.replace("\t", "").isprintable():
        return ""
    return (
        f"; it has {between} between its cells, as spreadsheets save tables: give the file as the"
        " label tool wrote it, or save it with commas and decimal points"
    )


def read_labels(
    path: Path, stack: PngStack, name: str | None = None, options: ReadOptions | None = None
) -> Labels:
    """The labels of one file, in *center* coordinates on the PNG stack.

    A LabelError names file and row. It is also raised where the file is not empty, but none of it
    was read.
    """
    labels = reader_for(path, name).read(path, stack, options)
    refuse_nothing_read(labels)
    return labels


def refuse_nothing_read(labels: Labels) -> None:
    """LabelError where a file is not empty, but all of it was left out."""
    if labels.left_out and not len(labels):
        raise LabelError(f"holds no points or outlines: {'; '.join(labels.left_out)}", labels.path)
