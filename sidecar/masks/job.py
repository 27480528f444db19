"""The work of `map-mask` without the command line: read, check, report, then write, whole or not
at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from sidecar.document import model as documents
from sidecar.errors import OutputError, UsageError
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions
from sidecar.labels.writers.csv_points import csv_text
from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.masks.mapped import MappedMask
from sidecar.masks.readers import read_mask
from sidecar.masks.segments import load_mask_config
from sidecar.masks.statistics import SegmentSize, columns_of, segment_sizes
from sidecar.masks.upsample import Fill
from sidecar.masks.writers import writer_for
from sidecar.masks.writers.model import MaskWriter
from sidecar.progress import Progress
from sidecar.storage.locate import Place
from sidecar.storage.whole_file import refuse_taken_part, whole_file, whole_folder

GRIDS = ("source", "png")
FILLS: tuple[Fill, ...] = get_args(Fill)


@dataclass(frozen=True)
class Options:
    """The options of ``map-mask`` under their names there.

    UsageError for invalid values.
    """

    to: str | None = None
    grid: str = "source"
    fill: str = "repeat"
    config: Path | None = None
    dicom: Place | None = None
    pseudonym: str | None = None
    loading: LoadOptions = field(default_factory=LoadOptions)
    statistics: Path | None = None

    def __post_init__(self) -> None:
        for option, value, allowed in (("--grid", self.grid, GRIDS), ("--fill", self.fill, FILLS)):
            if value not in allowed:
                raise UsageError(f"{option} {value}: give one of {', '.join(allowed)}")
        if self.grid == "png" and self.fill != "repeat":
            raise UsageError(
                "--fill is for source slices without a PNG, and --grid png has no such slices;"
                " leave --fill out"
            )
        if self.statistics is not None and self.fill == "none":
            raise UsageError(
                "--statistics with --fill none would measure only a part of each volume; leave"
                " --fill out, or measure on the grid of the PNGs with --grid png"
            )

    @property
    def headers(self) -> HeaderSource | None:
        """Where the DICOM headers of the source are; None where the user did not say."""
        return None if self.dicom is None else HeaderSource(self.dicom, self.pseudonym)


@dataclass(frozen=True)
class MaskJob:
    """A mask that was read and can be written. ``notes``: what the user is told before it is
    written.
    """

    mapped: MappedMask
    writer: MaskWriter
    output: Path
    options: Options
    notes: tuple[str, ...]

    def run(self, progress: Progress) -> tuple[SegmentSize, ...]:
        """Write ``output`` and the statistics, both whole, or neither. OutputError where they
        cannot be written.

        Returns the sizes of segments where statistics were asked for, else ().
        """
        beside = whole_folder if self.writer.is_folder else whole_file
        table = self.options.statistics
        with nullcontext() if table is None else whole_file(table) as statistics:
            sizes = () if statistics is None else segment_sizes(self.mapped, progress)
            if statistics is not None:
                statistics.write_bytes("".join(csv_text(columns_of(sizes))).encode())
            with beside(self.output) as part:
                self.writer.write(self.mapped, part, self.options.headers, progress)
        return sizes


def plan_job(
    masks: Sequence[Path], output: Path, exports: Sequence[Export], options: Options
) -> MaskJob:
    """Read and check masks, and find out what the output needs. Writes nothing.

    Without ``exports``, the export beside the masks is taken.
    """
    writer, headers = writer_for(output, options.to), options.headers
    if options.pseudonym is not None and not writer.names_patient:
        raise UsageError(
            "--pseudonym goes only with --to dicom-seg or dicom-rtstruct; other outputs do not"
            " name the patient"
        )
    _refuse_taken("-o", output, masks, is_folder=writer.is_folder)
    if options.statistics is not None:
        _refuse_taken("--statistics", options.statistics, masks, is_folder=False)
        if options.statistics.absolute() == output.absolute():
            raise UsageError("--statistics and -o are the same file; give another name")
    config = None if options.config is None else load_mask_config(options.config)
    mask = read_mask(masks, exports, config=config, options=options.loading)
    mapped = (
        MappedMask.on_decimated(mask)
        if options.grid == "png"
        else MappedMask.on_source(mask, cast(Fill, options.fill))
    )
    notes = [*mask.notes, *writer.check(mapped, headers)]
    if headers is not None and writer.names_patient:
        notes.append(headers.notice)
    return MaskJob(mapped, writer, output, options, tuple(notes))


def _refuse_taken(option: str, output: Path, inputs: Sequence[Path], is_folder: bool) -> None:
    if output.name == documents.SIDECAR_NAME or any(
        path.exists() and output.exists() and output.samefile(path) for path in inputs
    ):
        raise UsageError(f"{option} {output.name} would overwrite an input; give another name")
    if is_folder and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OutputError(
            f"{output.name} is there already; give the name of a new folder for the PNGs"
        )
    if not is_folder and output.is_dir():
        raise OutputError(f"{output.name} is a folder; give a file name")
    refuse_taken_part(output)
