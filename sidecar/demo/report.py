"""What the terminal shows of a tour: tables by rich on stdout, plain text where that is not a terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sidecar.cli.inspect import describe_plan, printable
from sidecar.demo.tour import Check, Tour
from sidecar.inspection import Found, planned
from sidecar.series import Series

#: Columns of text where there is no terminal to ask.
PLAIN_WIDTH = 100


def show(tour: Tour, of_specimen: bool) -> None:
    """Print the steps, the table of errors, what it means, and where everything lies."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH)
    _steps(console, tour, of_specimen)
    console.print(_errors(tour.check, tour.uncertainty, of_specimen))
    for paragraph in _meaning(tour, of_specimen):
        console.print(Padding(paragraph, (0, 0, 1, 0)))
    console.print(_where(tour))


def _steps(console: Console, tour: Tour, of_specimen: bool) -> None:
    places, plan = tour.places, tour.job.plan
    marks = f"{len(tour.check.labels)} labels, at " + (
        "the bright spots where a person would look for the landmarks, found in the PNGs' pixels alone"
        if of_specimen
        else "corners, the middle and bright spots of the PNGs"
    )
    steps = (
        ("The scan", f"sidecar inspect {_path(places.scan)}", [_line(plan.series), *plan.series.warnings]),
        (
            "Small PNGs",
            f"sidecar export {_path(places.scan)} {_path(places.png)} --scale 1/{tour.factor} --z-step {tour.factor}{_series(tour)}",
            [describe_plan(planned(plan))],
        ),
        ("Labels", f"({_path(places.labels)}, from any tool)", [marks]),
        ("Back", f"sidecar map-points {_path(places.labels)} -o {_path(places.mapped)}", [_back(tour)]),
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for number, (title, command, facts) in enumerate(steps, 1):
        grid.add_row(Text(f"{number} {title}", "bold"), Text(command, "cyan"))
        for fact in facts:
            grid.add_row("", fact)
    console.print(Padding(grid, (1, 0)))


def _path(path: Path) -> str:
    """A path as one types it."""
    text = str(path)
    return f'"{text}"' if " " in text else text


def _series(tour: Tour) -> str:
    wanted = tour.job.plan.options.series
    return f" --series {wanted}" if wanted else ""


def _back(tour: Tour) -> str:
    if tour.sidecar.stack is None:
        return "to source pixels only: this scan has no patient geometry, so there are no millimetres to go back to"
    return "to source voxels, patient millimetres (LPS), and the DICOM instance each label lies on"


def _line(series: Series) -> str:
    """One stack in one line."""
    facts = Found(series, None, None).facts()
    columns, rows, slices = facts["size"]
    parts = [facts["modality"], printable(facts["description"]), f"{columns} columns × {rows} rows × {slices} slices"]
    if facts["spacing"] is not None:
        parts.append(" × ".join(f"{edge:.4g}" for edge in facts["spacing"] if edge is not None) + " mm")
        parts.append(f"columns to {facts['directions'][0]}, rows to {facts['directions'][1]}")
    return ", ".join(filter(None, parts))


def _errors(check: Check, uncertainty: object, of_specimen: bool) -> Table:
    """One row for each label; distances in µm, or in source pixels without patient geometry."""
    stated = np.asarray(uncertainty)
    in_mm = not np.isnan(stated).any()
    unit, factor = ("µm", 1000.0) if in_mm else ("px", 1.0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    place = "mm" if in_mm else "source px"
    expected = "true" if of_specimen else ("by headers" if in_mm else "by edges")
    table.add_column("landmark" if of_specimen else "label", no_wrap=True)
    table.add_column(f"{expected} x, y, z, {place}" if in_mm else f"{expected}, {place}", justify="right")
    table.add_column(f"mapped, {place}", justify="right")
    table.add_column(f"error\n{unit}", justify="right", style="green")
    if in_mm:
        table.add_column("uncertainty\nµm", justify="right")
    table.add_column(f"doubled\n{unit}", justify="right", style="red")
    for i, label in enumerate(check.labels):
        cells = [label.name, _numbers(check.expected[i]), _numbers(check.mapped[i]), f"{check.errors[i] * factor:.2f}"]
        cells += [f"{stated[i] * factor:.1f}"] * in_mm
        cells += [f"{check.doubled_errors[i] * factor:.2f}"]
        table.add_row(*cells, style="bold red" if label.name in check.failed else None)
    return table


def _numbers(point: object) -> str:
    return " ".join(f"{number:.4f}" for number in np.asarray(point))
