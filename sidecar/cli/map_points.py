"""`sidecar map-points`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

NAME = "map-points"
HELP = """Map labels made on the PNGs to source voxels, patient millimetres and DICOM instances.
Needs no DICOM: sidecar.json is enough.

LABELS are files of a label tool, recognised by content, or a folder of them. The result goes to
stdout, or to -o FILE. All or nothing: any label that cannot be mapped is an error that names file
and row."""
EXAMPLES = (
    "Example: sidecar map-points labels.csv -o mapped.csv     Example: sidecar map-points"
    " results.csv --sidecar png/ --space ras"
)


def run(
    labels: Annotated[
        list[Path], typer.Argument(metavar="LABELS...", help="Label files, or folders of them.")
    ],
    sidecar: Annotated[
        WritableLocation | None,
        typer.Option(
            metavar="PATH",
            help=(
                "sidecar.json or its folder, or its URL; may be left out where it lies beside the"
                " labels or the images they name."
            ),
            parser=locate,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; stdout without it."),
    ] = None,
    from_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="Label format, instead of recognising it."),
    ] = None,
    to_format: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FORMAT", help="Output format, instead of that of FILE's ending."
        ),
    ] = None,
    dicom: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the source's DICOM files are, for --to dicom-sr and dicom-rtstruct.",
        ),
    ] = None,
    pixel_origin: Annotated[
        str | None,
        typer.Option(
            metavar="center|corner",
            help="Where the labels' (0, 0) is: the first pixel's middle or outer corner.",
        ),
    ] = None,
    slice_origin: Annotated[
        str | None,
        typer.Option(
            metavar="0|1",
            help="What a table of slice numbers calls the first PNG, where it does not tell.",
        ),
    ] = None,
    space: Annotated[str, typer.Option(metavar="lps|ras", help="Axes of the millimetres.")] = "lps",
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Map labels beyond the edges of the PNGs too.")
    ] = False,
) -> None:
    from collections import Counter

    from sidecar.cli.writing import choice, deliver, slice_origin_of
    from sidecar.grid.space import Space
    from sidecar.labels.map import label_files, map_file
    from sidecar.labels.model import PixelOrigin
    from sidecar.labels.writers import writer_for
    from sidecar.mapping import Sidecar

    origin: PixelOrigin | None = choice("--pixel-origin", pixel_origin, ("center", "corner"))
    first_slice = slice_origin_of(slice_origin)
    axes: Space = choice("--space", space.lower(), ("lps", "ras")) or "lps"
    writer = writer_for(output, to_format, dicom)
    given = None if sidecar is None else Sidecar.open(sidecar)
    mappings = []
    files = label_files(labels)
    names = Counter(path.name for path in files)
    for path in files:
        mapping = map_file(
            path,
            given,
            format=from_format,
            pixel_origin=origin,
            slice_origin=first_slice,
            allow_outside=allow_outside,
        )
        mappings.append(mapping)
        read = mapping.labels
        name = f"{path.absolute().parent.name}/{path.name}" if names[path.name] > 1 else path.name
        typer.echo(
            f"{name}: {len(read)} × {', '.join(read.shapes)} by {read.tool}, pixel origin"
            f" {read.pixel_origin}",
            err=True,
        )
        notes = list(mapping.notes)
        if mapping.points.sidecar.stack is None:
            notes.append(
                "this scan has no patient geometry: source pixels only, millimetres are left empty"
            )
        for note in dict.fromkeys(notes):
            typer.echo(f"  note: {note}", err=True)
    if dicom is not None:
        from sidecar.labels.writers.source_headers import NOTICE

        typer.echo(f"  note: {NOTICE}", err=True)
    deliver(
        writer,
        [mapping.points for mapping in mappings],
        output,
        axes,
        inputs=[*files, *([sidecar.local] if sidecar and sidecar.local else [])],
    )
