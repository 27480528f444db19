"""`sidecar align`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import OUTPUT, OutputFormat
from sidecar.cli.telling import tell

if TYPE_CHECKING:
    from sidecar.morphometrics.align import Fit
    from sidecar.morphometrics.aligned import Alignment, Group

NAME = "align"
HELP = """Move mapped points into an anatomical frame, onto the landmarks of another specimen, or
(with --group) many specimens onto their mean.

MAPPED is a CSV of one specimen that map-points wrote. --frame defines the frame by three or more
named landmarks. The result is the same CSV with the columns x_aligned, y_aligned and z_aligned
(mm). It goes to stdout or to -o FILE. Other formats of map-points hold the aligned landmarks only;
formats that belong to a scan are refused. The matrix and the residual of each landmark are printed
on stderr; --matrix and --residuals write them to files.

With --group, -o is a new folder with one file for each specimen, the mean shape, and tables of
centroid sizes and residuals. A specimen that fits much better as a mirror image is an error unless
--mirror is given."""
EXAMPLES = """\
sidecar align b.csv --onto a.csv -o b_on_a.csv --matrix b_on_a.tfm
sidecar align a.csv --frame 'nasion;inion;left ear,right ear'
sidecar align --group a.csv b.csv c.csv --similarity -o superimposed"""


def run(
    mapped: Annotated[
        list[Path],
        typer.Argument(metavar="MAPPED...", help="CSV of map-points; several with --group."),
    ],
    onto: Annotated[
        Path | None,
        typer.Option(
            metavar="FIXED",
            help=(
                "CSV of map-points of the specimen to fit to; sidecar pairs landmarks of the same"
                " name."
            ),
        ),
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option(
            metavar="ORIGIN;AXIS;PLANE",
            help=(
                "Landmarks of the origin, of the x axis, and of the x-y plane. Several names with"
                " commas between them mean their middle."
            ),
        ),
    ] = None,
    group: Annotated[
        bool,
        typer.Option("--group", help="Generalised Procrustes superimposition of all specimens."),
    ] = False,
    similarity: Annotated[
        bool,
        typer.Option(
            "--similarity", help="With --onto and --group: also fit one scale for each specimen."
        ),
    ] = False,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror",
            help=(
                "With --onto and --group: mirror a specimen whose mirror image fits much better."
            ),
        ),
    ] = False,
    common: Annotated[
        bool,
        typer.Option(
            "--common", help="With --group: leave out landmarks that some specimens lack."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|FOLDER",
            help="Where to write; stdout without it. With --group, a new folder.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    to_format: OutputFormat = None,
    matrix: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the matrix to this file: .tfm for 3D Slicer, .json or .txt.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    residuals: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --onto: also write the residuals to this CSV file.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    from sidecar.errors import UsageError

    if [onto is not None, frame is not None, group].count(True) != 1:
        raise UsageError("give one of --onto FIXED, --frame ORIGIN;AXIS;PLANE and --group")
    for option, is_given in (("--similarity", similarity), ("--mirror", mirror)):
        if is_given and frame is not None:
            raise UsageError(f"{option} goes only with --onto or --group; leave it out")
    if group:
        if matrix is not None or residuals is not None:
            raise UsageError(
                "--matrix and --residuals belong to one specimen; leave them out with --group"
            )
        _align_group(mapped, output, to_format, similarity, mirror, common)
        return
    if common:
        raise UsageError("--common goes only with --group")
    if len(mapped) > 1:
        raise UsageError(
            f"there are {len(mapped)} files; align each separately, or all together with --group"
        )
    if onto is not None:
        aligned = _onto(mapped[0], onto, similarity, mirror)
    else:
        aligned = _in_frame(mapped[0], frame or "")
    _tell_matrix(aligned)
    inputs = [mapped[0], *([onto] if onto else [])]
    _write(aligned, output, to_format, matrix, residuals, inputs)


def _onto(mapped: Path, onto: Path, similarity: bool, mirror: bool) -> Alignment:
    from sidecar.labels.mapped_file import read_points
    from sidecar.morphometrics.aligned import align_onto

    table, fixed = read_points(mapped), read_points(onto)
    tell(f"{table.only_specimen('align')} onto {fixed.only_specimen('align')}:")
    aligned = align_onto(table, fixed, similarity=similarity, mirror=mirror)
    if aligned.fit is not None:
        _tell_fit(aligned.fit)
    return aligned


def _in_frame(mapped: Path, frame: str) -> Alignment:
    from sidecar.labels.mapped_file import read_points
    from sidecar.morphometrics.aligned import align_to_frame

    table = read_points(mapped)
    tell(f"{table.only_specimen('align')} in its own frame:")
    return align_to_frame(table, _three_places(frame))


def _three_places(frame: str) -> list[list[str]]:
    from sidecar.errors import UsageError

    places = [
        [name.strip() for name in place.split(",") if name.strip()] for place in frame.split(";")
    ]
    if len(places) != 3 or not all(places):
        raise UsageError("--frame: give three places, such as 'nasion;inion;left ear,right ear'")
    return places


def _tell_fit(fit: Fit) -> None:
    for name, residual in fit.residual_mm.items():
        tell(f"  {name}: residual {residual:.4g} mm")
    scale = "" if fit.scale == 1 else f", scale {fit.scale:.6g}"
    other = "residual without mirroring" if fit.is_mirrored else "residual of the mirror image"
    tell(
        f"{len(fit.residual_mm)} landmarks fitted, residual {fit.rms_mm:.4g} mm (rms){scale};"
        f" {other}: {fit.mirrored_rms_mm:.4g} mm (rms)"
    )
    if fit.is_mirrored:
        tell("  note: the specimen was mirrored, because its mirror image fits much better")
    if fit.unmatched:
        tell(
            "  note: landmarks that only one specimen has were not used:"
            f" {', '.join(fit.unmatched)}"
        )


def _tell_matrix(aligned: Alignment) -> None:
    typer.echo(f"matrix from {aligned.transform.source} to {aligned.transform.target}:", err=True)
    for row in aligned.transform.matrix:
        typer.echo("  " + "  ".join(f"{value: .9g}" for value in row), err=True)


def _write(
    aligned: Alignment,
    output: Path | None,
    to_format: str | None,
    matrix: Path | None,
    residuals: Path | None,
    inputs: Sequence[Path],
) -> None:
    """Write all outputs. Everything that can be refused is refused before the first is written."""
    from sidecar.cli.writing import deliver_written
    from sidecar.errors import UsageError
    from sidecar.labels.writers import landmark_writer_for
    from sidecar.morphometrics.aligned import table_text
    from sidecar.morphometrics.transform_files import transform_text

    outputs = [path.absolute() for path in (output, matrix, residuals) if path is not None]
    if len({*outputs}) < len(outputs):
        raise UsageError(
            "two of -o, --matrix and --residuals are the same file; give each a name of its own"
        )
    writer = landmark_writer_for(output, to_format, is_given=aligned.transform.is_given)
    texts: list[tuple[Path, str]] = []
    if matrix is not None:
        texts.append((matrix, transform_text(aligned.transform, matrix.name)))
    if residuals is not None:
        texts.append((residuals, table_text(aligned.residual_columns())))
    for note in deliver_written(lambda path: aligned.points.write(writer, path), output, inputs):
        tell(f"  note: {note}")
    for path, text in texts:
        _write_text(path, text, inputs)


def _write_text(path: Path, text: str, inputs: Sequence[Path]) -> None:
    from sidecar.api.writing import write_output

    write_output(path, inputs, lambda part: part.write_text(text, encoding="utf-8", newline=""))


def _align_group(
    mapped: Sequence[Path],
    output: Path | None,
    to_format: str | None,
    similarity: bool,
    mirror: bool,
    common: bool,
) -> None:
    from sidecar.api.writing import write_folder
    from sidecar.errors import UsageError
    from sidecar.labels.mapped_file import read_points
    from sidecar.labels.writers import landmark_writer_for
    from sidecar.morphometrics.aligned import align_group, write_group

    if output is None:
        raise UsageError("--group writes a folder; name it with -o FOLDER")
    tables = [read_points(path) for path in mapped]
    group = align_group(tables, similarity=similarity, mirror=mirror, common=common)
    _tell_group(group)
    writer = landmark_writer_for(None, to_format, is_given=group.is_given)
    for note in write_folder(output, lambda part: write_group(group, writer, part)):
        tell(f"  note: {note}")


def _tell_group(group: Group) -> None:
    found = group.superimposed
    for i, name in enumerate(group.names):
        scale = "" if (found.scales == 1).all() else f", scale {found.scales[i]:.6g}"
        tell(
            f"  {name}: residual {found.rms[i]:.4g} mm (rms), centroid size"
            f" {found.centroid_sizes[i]:.6g} mm{scale}"
        )
    tell(f"{len(group.names)} specimens superimposed by {len(group.landmarks)} landmarks")
    for note in group.notes:
        tell(f"  note: {note}")
