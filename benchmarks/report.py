"""Figures → Markdown tables, and these into the page that waits for them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.throughput import OURS

#: What a page holds of one part; what stands between the two comments is written anew.
_PLACE = re.compile(r"(<!-- measured: (?P<part>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, results: dict[str, Any]) -> str:
    """A page with the tables of all parts that there are results for; the others stay as they
    are.
    """

    def replaced(place: re.Match[str]) -> str:
        result = results.get(place["part"])
        return (
            place[0]
            if result is None
            else f"{place[1]}\n{section(place['part'], result)}\n\n{place[3]}"
        )

    return _PLACE.sub(replaced, page)


def section(part: str, result: dict[str, Any]) -> str:
    """The tables of one part, and when and where they were measured."""
    machine = result["machine"]
    return (
        f"{TABLES[part](result['figures'])}\n\n*{machine['date']}: {machine['processor']};"
        f" {machine['system']}; {machine['packages']}.*"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose first column is text."""
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _throughput(figures: dict[str, Any]) -> str:
    tables = []
    for bits, by_slices in figures["bits"].items():
        head = [f"{bits}-bit PNGs"]
        for slices in by_slices:
            head += [f"{int(slices):,} slices", "× ours", "processor", "× ours"]
        names = list(dict.fromkeys(name for results in by_slices.values() for name in results))
        rows = []
        for name in names:
            times = [cell for results in by_slices.values() for cell in _times(results, name)]
            rows.append([name, *times, _peak(by_slices, name)])
        tables.append(table([*head, "peak"], rows))
    sizes = [[what, f"{ratio:.3f}"] for what, ratio in figures["bytes"].items()]
    note = f"Medians of {figures['runs']} runs in turns, {figures['size']}² slices."
    return "\n\n".join([note, *tables, table(["Our PNGs", "bytes ÷ Pillow level 1"], sizes)])


def _times(results: dict[str, Any], name: str) -> list[str]:
    """Seconds and processor seconds of one program, each with its ratio to ours."""
    if name not in results:
        return ["–"] * 4
    one, ours = results[name], results[OURS]
    return [
        cell
        for key in ("wall", "cpu")
        for cell in (f"{one[key]:.2f} s", f"{one[key] / ours[key]:.1f}")
    ]


def _peak(by_slices: dict[str, Any], name: str) -> str:
    return f"{max(results[name]['peak'] for results in by_slices.values() if name in results) / 1e6:.0f} MB"


def _stages(figures: dict[str, Any]) -> str:
    tables = []
    for bits, stages in figures["bits"].items():
        rows = [
            [s["name"], f"{s['ours']:.3f}", f"{s['least']:.3f}", _ratio(s), s["way"]]
            for s in stages
        ]
        total = {key: sum(s[key] for s in stages) for key in ("ours", "least")}
        rows.append(
            [
                "**sum**",
                f"**{total['ours']:.2f}**",
                f"**{total['least']:.2f}**",
                f"**{_ratio(total)}**",
                "",
            ]
        )
        tables.append(
            table(
                [f"{bits} bits, ms per slice", "ours", "least", "ours ÷ least", "the least is"],
                rows,
            )
        )
    return "\n\n".join(tables)


def _ratio(stage: dict[str, Any]) -> str:
    return f"{stage['ours'] / stage['least']:.1f}" if stage["least"] >= 0.001 else "–"


def _memory(figures: dict[str, Any]) -> str:
    peaks = figures["peaks"]
    counts = sorted({count for by_count in peaks.values() for count in by_count}, key=int)
    head = [
        "Peak of the whole process tree",
        *(f"{int(count):,} slices" for count in counts),
        "growth per slice",
    ]
    rows = []
    for size, by_count in peaks.items():
        first, *_, last = by_count
        growth = (by_count[last] - by_count[first]) / (int(last) - int(first)) / 1024
        cells = [
            f"{by_count[count] / 1e6:.0f} MB" if count in by_count else "–" for count in counts
        ]
        rows.append([f"{size}²", *cells, f"{growth:.1f} KiB"])
    others = [
        ["Means of 10 slices", f"{figures['mean'] / 1e6:.0f} MB"],
        *(
            [f"map-mask to `.{ending}`, {int(count):,} slices of 512²", f"{peak / 1e6:.0f} MB"]
            for ending, by_count in figures["masks"].items()
            for count, peak in by_count.items()
        ),
        [
            f"One file of {figures['frames']:,} frames, {figures['multiframe_bytes'] / 1e9:.0f} GB",
            f"{figures['multiframe'] / 1e6:.0f} MB",
        ],
    ]
    return f"{table(head, rows)}\n\n{table(['Also', 'peak'], others)}"


def _headers(figures: dict[str, Any]) -> str:
    head = [f"{figures['files']:,} files", "files a second", "of one processor"]
    return table(
        head,
        [
            [name, *(f"{figures[f'{name}, files/s{kind}']:,.0f}" for kind in ("", " of processor"))]
            for name in ("ours", "pydicom")
        ],
    )


def _compressed(figures: dict[str, Any]) -> str:
    syntaxes = figures["syntaxes"]
    names = list(
        dict.fromkeys(name for results in syntaxes.values() for name in results if name != OURS)
    )
    head = ["", "ours", "processor", *(f"{name}, × ours (processor)" for name in names)]
    rows = []
    for syntax, results in syntaxes.items():
        ours = results[OURS]
        ratios = [
            (
                f"{results[n]['wall'] / ours['wall']:.1f} ({results[n]['cpu'] / ours['cpu']:.1f})"
                if n in results
                else "–"
            )
            for n in names
        ]
        rows.append([syntax, f"{ours['wall']:.2f} s", f"{ours['cpu']:.2f} s", *ratios])
    return f"{figures['slices']} slices to 8-bit PNGs.\n\n{table(head, rows)}"


def _zips(figures: dict[str, Any]) -> str:
    folder = figures["sources"]["folder"]
    rows = [
        [
            name,
            f"{one['wall']:.2f} s",
            f"{one['wall'] / folder['wall']:.2f}",
            f"{one['cpu']:.2f} s",
            f"{one['cpu'] / folder['cpu']:.2f}",
            f"{one['peak'] / 1e6:.0f} MB",
        ]
        for name, one in figures["sources"].items()
    ]
    head = [f"{figures['slices']} slices", "clock", "× folder", "processor", "× folder", "peak"]
    return table(head, rows)


def _kernel(figures: dict[str, Any]) -> str:
    if not figures:
        return "The kernel was not built here."
    rows = []
    for case in figures["cases"]:
        ours = case["results"]["kernel"]
        row = [f"{case['slices']:,}", f"{case['scale']:g}", str(case["bits"])]
        row += [f"{ours['wall']:.2f} s", f"{ours['cpu']:.2f} s"]
        for name in ("numpy", "OpenCV script"):
            other = case["results"].get(name)
            row += [f"{other[by] / ours[by]:.1f}" if other else "–" for by in ("wall", "cpu")]
        rows.append(row)
    head = ["slices", "scale", "bits", "clock", "processor"]
    head += ["numpy, × clock", "× processor", "OpenCV script, × clock", "× processor"]
    return (
        f"Medians of {figures['runs']} runs in turns, {figures['size']}² slices; the kernel's, and"
        f" those of others as multiples of it.\n\n{table(head, rows)}"
    )


def _labels(figures: dict[str, Any]) -> str:
    cells = [
        f"{figures['cpu']:.2f} s",
        f"{figures['wall']:.2f} s",
        f"{figures['peak'] / 1e6:.0f} MB",
    ]
    return table(
        ["map-points, one processor", "processor", "wall clock", "peak"],
        [[f"{figures['labels']:,} labels", *cells]],
    )


def _instructions(figures: dict[str, Any]) -> str:
    rows = [
        [f"{bits} bits", f"{f['slice']:.2f}", f"{f['rest']:,.0f}"]
        for bits, f in figures.get("bits", {}).items()
    ]
    return table(["Million instructions", "per slice", "all else, once"], rows)


def _page(figures: dict[str, Any]) -> str:
    head = ["", "median frame", "worst frame", "later than 25 ms", "of the processor"]
    rows = [
        [
            name,
            f"{f['median']:.1f} ms",
            f"{f['worst']:.0f} ms",
            f"{100 * f['late']:.0f}%",
            f"{f['cpu']:.1f} ms",
        ]
        for name, f in figures["frames"].items()
    ]
    note = (
        f"{figures['slices']:,} slices of {figures['size']}²: the slice is shown after"
        f" {figures['first']:.1f} s, and all voxels are held after {figures['held']:.1f} s."
    )
    return f"{note}\n\n{table(head, rows)}"


def _turns(figures: dict[str, Any]) -> str:
    head = ["", "clock", "low", "processor", "low", "of the first", "peak"]
    rows = []
    for job, by_code in figures["jobs"].items():
        first = next(iter(by_code.values()))
        rows.append([f"**{job}**", *[""] * (len(head) - 1)])
        for name, one in by_code.items():
            seconds = [f"{one[key]:.2f} s" for key in ("wall", "wall low", "cpu", "cpu low")]
            ratio = f"{one['cpu low'] / first['cpu low']:.2f}"
            rows.append([name, *seconds, ratio, f"{one['peak'] / 1e6:.0f} MB"])
    note = (
        f"{figures['runs']} runs in turns; medians, and low the lower quartile. The ratio is that of"
        " the lower quartiles of processor seconds."
    )
    return f"{note}\n\n{table(head, rows)}"


def _growth(figures: dict[str, Any]) -> str:
    rows = []
    for name, case in figures.items():
        first, second = (f"{count:,}" for count in case["counts"])
        times = [f"{seconds:.2f} s" for seconds in case["cpu"]]
        peaks = [f"{peak / 1e6:.0f} MB" for peak in case["peak"]]
        amounts = f"{first} and {second} {case['what']}"
        rows.append([name, amounts, *times, f"{case['exponent']:.2f}", *peaks])
    head = ["", "n and 4n", "processor, n", "4n", "exponent", "peak, n", "4n"]
    return table(head, rows)


def _disk(figures: dict[str, Any]) -> str:
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "peak")}
        for name, runs in figures["runs"].items()
    }
    rows = [
        [
            name,
            f"{taken['wall']:.1f} s",
            f"{taken['wall'] / medians['cat']['wall']:.2f}",
            f"{taken['cpu']:.1f} s",
            f"{taken['peak'] / 1e6:.0f} MB",
        ]
        for name, taken in medians.items()
    ]
    head = [f"{figures['bytes'] / 1e9:.1f} GB from a disk", "clock", "× cat", "processor", "peak"]
    return table(head, rows)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "throughput": _throughput,
    "stages": _stages,
    "memory": _memory,
    "headers": _headers,
    "compressed": _compressed,
    "zips": _zips,
    "labels": _labels,
    "kernel": _kernel,
    "instructions": _instructions,
    "page": _page,
    "turns": _turns,
    "growth": _growth,
    "disk": _disk,
}


def write_page(page: Path, results: dict[str, Any]) -> None:
    """Write the tables into a page."""
    page.write_text(filled(page.read_text(encoding="utf-8"), results), encoding="utf-8")
