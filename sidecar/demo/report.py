"""Print a tour on stdout: tables by rich on a terminal, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sidecar.demo.tour import Floats, Tour
from sidecar.dicom.stacks.series import Series
from sidecar.errors import printable
from sidecar.exporting.describe import describe_plan
from sidecar.exporting.inspect import Found, planned
from sidecar.viewer.names import VIEWER_NAME

#: Width of the text where there is no terminal.
PLAIN_WIDTH = 100


def show(tour: Tour) -> None:
    """Print the steps, the table of errors, its meaning, the paths of all files, and the page to
    open.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH)
    console.print(Padding(_steps(tour), (1, 0)))
    console.print(Padding(_errors(tour), (0, 0, 1, 0)))
    for paragraph in _meaning(tour):
        console.print(Padding(paragraph, (0, 0, 1, 0)))
    console.print(_where(tour))
    page = tour.places.png / VIEWER_NAME
    if page.is_file():
        console.print(Padding(f"To see it, open {_typed(page)} in a browser.", (1, 0, 0, 0)))


def _steps(tour: Tour) -> Table:
    places, plan, factor = tour.places, tour.job.plan, tour.factor
    scan, png, labels, mapped = (
        _typed(path) for path in (places.scan, places.png, places.labels, places.mapped)
    )
    series = f" --series {plan.options.series}" if plan.options.series else ""
    steps = (
        (
            "The scan",
            Text(f"sidecar inspect {scan}", "cyan"),
            [_line(plan.series, tour.of_specimen), *plan.series.warnings],
        ),
        (
            "Small PNGs",
            Text(
                f"sidecar export {scan} {png} --scale 1/{factor} --z-step {factor}{series}", "cyan"
            ),
            [_exported(tour)],
        ),
        ("Labels", Text("by hand, in any label tool"), [_labelled(tour)]),
        ("Back", Text(f"sidecar map-points {labels} -o {mapped}", "cyan"), [_mapped_to(tour)]),
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for number, (title, command, facts) in enumerate(steps, 1):
        table.add_row(Text(f"{number} {title}", "bold"), command)
        for fact in facts:
            table.add_row("", fact)
    return table


def _typed(path: Path) -> str:
    """A path as a user types it."""
    return f'"{path}"' if " " in str(path) else str(path)


def _line(series: Series, of_specimen: bool) -> str:
    """One stack in one line. The line of a specimen names no sides of a patient."""
    facts = Found(series, None, None).facts()
    columns, rows, slices = facts["size"]
    parts = [
        facts["modality"],
        printable(facts["description"]),
        f"{columns} columns × {rows} rows × {slices} slices",
    ]
    if facts["spacing"] is not None:
        parts.append(
            " × ".join(f"{edge:.4g}" for edge in facts["spacing"] if edge is not None) + " mm"
        )
        if not of_specimen:
            parts.append("columns to {}, rows to {}, slices to {}".format(*facts["directions"]))
    return ", ".join(filter(None, parts))


def _exported(tour: Tour) -> str:
    return describe_plan(planned(tour.job.plan))


def _labelled(tour: Tour) -> str:
    count = len(tour.check.labels)
    if tour.of_specimen:
        return (
            f"here: {count} bright spots. The demo found them in the pixels of the PNGs alone, near"
            " the places where a person would look"
        )
    return f"here: {count} known pixels: two corners, the middle, and bright spots"


def _mapped_to(tour: Tour) -> str:
    if tour.sidecar.stack is None:
        return (
            "to source pixels only: this scan has no patient geometry, so there are no millimetres"
            " to go back to"
        )
    whose = "millimetres along the scanner's axes" if tour.of_specimen else "patient millimetres"
    return f"to source voxels, {whose} (LPS) and the DICOM instance each label lies on"


def _errors(tour: Tour) -> Table:
    """One row for each label. Errors are in µm, or in source pixels without patient geometry."""
    check, (unit, units) = tour.check, _unit(tour)
    kind = "source pixel" if unit == "px" else "mm"
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("landmark" if tour.of_specimen else "label", no_wrap=True)
    table.add_column(
        f"true\nx y z, {kind}" if tour.of_specimen else "on the PNGs\nx y slice", justify="right"
    )
    table.add_column(
        "mapped\ncolumn row slice" if unit == "px" else f"mapped\nx y z, {kind}", justify="right"
    )
    table.add_column(f"error\n{unit}", justify="right")
    if unit == "µm":
        table.add_column("±\nµm", justify="right")
    table.add_column(f"by × {tour.factor}\n{unit}", justify="right")
    for i, label in enumerate(check.labels):
        first = (
            _numbers(check.expected[i], 4)
            if tour.of_specimen
            else f"{label.x:.1f} {label.y:.1f} {label.slice:g}"
        )
        error = Text(
            f"{check.errors[i] * units:.2f}", "bold red" if label.name in check.failed else "green"
        )
        stated = [_short(tour.uncertainty[i] * units)] if unit == "µm" else []
        doubled = Text(_short(check.doubled_errors[i] * units), "red")
        table.add_row(
            label.name,
            first,
            _numbers(check.mapped[i], 4 if tour.of_specimen else 3),
            error,
            *stated,
            doubled,
        )
    return table


def _unit(tour: Tour) -> tuple[str, float]:
    """The unit to show errors in, and how many of it make one unit of the check."""
    return ("px", 1.0) if tour.sidecar.stack is None else ("µm", 1000.0)


def _numbers(point: Floats, decimals: int) -> str:
    return " ".join(f"{number:.{decimals}f}" for number in point)


def _short(number: float) -> str:
    """A number with about three digits: 8.41, 20.8, 287, 2,465."""
    return f"{number:#.3g}".rstrip(".") if abs(number) < 1000 else f"{number:,.0f}"


def _meaning(tour: Tour) -> Iterator[str]:
    check, factor, (unit, units) = tour.check, tour.factor, _unit(tour)
    worst = float(check.errors.max()) * units
    if check.failed:
        yield f"NOT every label came back where it belongs: {', '.join(check.failed)}."
    elif tour.of_specimen:
        yield (
            f"Every landmark came back, with an error of {worst:.2f} µm at most. ± is the"
            " uncertainty that map-points states: half the longest diagonal of a PNG voxel. The"
            " errors are smaller, because the middle of a spot is found to less than one pixel."
        )
    elif unit == "px":
        yield "Every label came back to the source pixel that the edges of the PNG pixels give."
    else:
        yield (
            "Every label lies where the DICOM headers put it, to a thousandth of a µm, and on the"
            " right instance. This was computed without the geometry of this package, with pydicom"
            " and the equation of PS3.3 C.7.6.2.1.1. ± is half the longest diagonal of a PNG voxel."
        )
    shift = _short(float(check.doubled_errors.mean()) * units)
    yield (
        f"by × {factor} is the PNG pixel times {factor}, as one does without a sidecar. It puts all"
        f" labels about {shift} {unit} off, to the same side. The reason: a PNG pixel is the mean"
        f" of {factor} × {factor} source pixels. Its middle is {(factor - 1) / 2:g} source pixels"
        " further on than the middle of the first of them, along columns and along rows. Careful"
        " labelling does not remove this error."
    )


def _where(tour: Tour) -> Table:
    places = tour.places
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for what, path in (
        ("scan", places.scan),
        ("PNGs", places.png),
        ("labels", places.labels),
        ("mapped", places.mapped),
    ):
        table.add_row(Text(what, "bold"), str(path))
    return table
