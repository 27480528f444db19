"""Nonsense on the command line and in configs: one message that names the option or key, exit code
2, nothing written.
"""

from __future__ import annotations

import random
from pathlib import Path
from shutil import copytree

import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write
from pydicom import dcmread

SMALL = Spec(columns=20, rows=16, slices=5, markers=False, shuffled_names=False, junk=False)
COLOUR = Spec(
    columns=20,
    rows=16,
    slices=3,
    markers=False,
    photometric="RGB",
    bits_stored=8,
    rescale=None,
    junk=False,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(SMALL, tmp_path_factory.mktemp("original")).folder


@pytest.fixture
def run(run: CommandLine, original: Path) -> CommandLine:
    """The command line in a folder that holds a scan of 20 × 16 × 5."""
    copytree(original, run.folder / "scan")
    return run


WRONG = [
    ("--scale", "x"), ("--scale", ""), ("--scale", "0"), ("--scale", "-0.5"), ("--scale", "2"),
    ("--scale", "nan"), ("--scale", "inf"), ("--scale", "1/0"), ("--scale", "1e400"),
    ("--scale", "1e999999999"), ("--scale", "1e-999999999"), ("--scale", "0/5"),
    ("--scale", "1//2"), ("--scale", "0%"), ("--scale", "٪"), ("--spacing", "x"),
    ("--spacing", "0"), ("--spacing", "-1"), ("--spacing", "nan"), ("--spacing", "inf"),
    ("--spacing", "1e400"), ("--fit", "0"), ("--fit", "-5MB"), ("--fit", "2 potatoes"),
    ("--fit", "GB"), ("--fit", ""), ("--fit", "nan"), ("--fit", "9" * 400 + "GB"),
    ("--z-step", "0"), ("--z-step", "-1"), ("--z-step", "1.5"), ("--z-step", "x"),
    ("--z-filter", "median"), ("--z-filter", ""), ("--bits", "12"), ("--bits", "0"),
    ("--bits", "x"), ("--bits", "8.5"), ("--window", "x"), ("--window", ""), ("--window", "40"),
    ("--window", "40,0"), ("--window", "40,-1"), ("--window", "nan,400"), ("--window", "40,inf"),
    ("--window", "1,2,3"), ("--window", "1e308,1.7e308"), ("--window", "1e300,1"), ("--crop", "x"),
    ("--crop", ""), ("--crop", "0:5"), ("--crop", "0:5,0:5"), ("--crop", "5:5,:,:"),
    ("--crop", "9:3,:,:"), ("--crop", ":,:,4:4"), ("--crop", "0:21,:,:"), ("--crop", "20:,:,:"),
    ("--crop", ":,0:17,:"), ("--crop", ":,:,0:6"), ("--crop", "-3:5,:,:"), ("--crop", "0.5:5,:,:"),
    ("--crop", "0:" + "9" * 5000 + ",:,:"), ("--series", "2"), ("--series", "0"),
    ("--series", "1.2.3"), ("--series", ""), ("--series", "first"), ("--jobs", "0"),
    ("--jobs", "-1"), ("--jobs", "1025"), ("--jobs", "x"), ("--config", "none.yaml"),
    ("--config", "scan"), ("--no-such-option", "1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"), WRONG, ids=[f"{option} {value[:12]}" for option, value in WRONG]
)
def test_a_wrong_value_names_its_option(option: str, value: str, run: CommandLine) -> None:
    run.refuses("export", "scan", "out", f"{option}={value}", code=2, says=option)


TOO_FAR = [
    ("--scale=0.0001",), ("--scale=0.00037",), ("--scale=1e-300",), ("--scale=1e-320",),
    ("--scale=1/21",), ("--spacing=1e308",), ("--spacing=900.1",),
    ("--crop=3:5,:,:", "--scale=1/3"), ("--crop=:,:,2:4", "--z-step=3", "--z-filter=mean"),
]  # fmt: skip


@pytest.mark.parametrize("options", TOO_FAR, ids=" ".join)
def test_what_leaves_no_pixel_is_refused(options: tuple[str, ...], run: CommandLine) -> None:
    run.refuses("export", "scan", "out", *options, code=2, says="nothing is left")


def test_a_size_that_nothing_useful_fits_is_refused(run: CommandLine) -> None:
    run.refuses("export", "scan", "out", "--fit=1B", "--bits=16", code=2, says="--fit")
    assert "1 PNG of 1 × 1" in run.done("export", "scan", "out", "--fit=1B", "--dry-run").out


@pytest.mark.parametrize(
    "pair",
    [("--scale=0.5", "--fit=1GB"), ("--scale=0.5", "--spacing=1"), ("--fit=1GB", "--spacing=1")],
    ids=" ".join,
)
def test_two_ways_to_decimate_contradict_each_other(
    pair: tuple[str, str], run: CommandLine
) -> None:
    run.refuses("export", "scan", "out", *pair, code=2, says="contradict each other")


@pytest.mark.parametrize("step", ["5", "6", "1000000000000", "9" * 400])
def test_a_large_step_leaves_the_first_slice_or_is_refused(step: str, run: CommandLine) -> None:
    outcome = run("export", "scan", "out", "--scale=1", f"--z-step={step}", "--dry-run")
    assert (outcome.code == 0 and "1 PNG of 20 × 16" in outcome.out) or (
        outcome.code == 2 and "--z-step" in outcome.err
    )


def test_more_digits_than_python_reads_are_no_traceback(run: CommandLine) -> None:
    run.refuses("export", "scan", "out", "--z-step", "1" * 5000, code=2, says="--z-step")


def test_source_and_output_are_needed(run: CommandLine) -> None:
    run.refuses("export", code=2, says="SOURCE and OUTPUT are missing")
    run.refuses("export", "scan", code=2, says="SOURCE and OUTPUT are missing")
    run.refuses("inspect", code=2, says="SOURCE")
    run.refuses("map-points", code=2, says="LABELS")
    run.refuses("project", code=2, says="POINTS")
    run.refuses("no-such-command", code=2, says="no-such-command")
    run.refuses("export", "scan", "out", "more", code=2, says="more")


def test_spacing_needs_millimetres(run: CommandLine) -> None:
    for path in write(COLOUR, run.folder / "flat").files():
        photograph = dcmread(path)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            del photograph[keyword]
        photograph.save_as(path)
    run.done("export", "flat", "out", "--scale=1", "--dry-run")
    run.refuses(
        "export",
        "flat",
        "out",
        "--spacing=1",
        says="--spacing needs a source with patient geometry",
    )


MAP_POINTS = [
    ("--space=mni", "--space"), ("--space=", "--space"),
    ("--pixel-origin=middle", "--pixel-origin"), ("--from=nothing", "--from"),
    ("--to=nothing", "--to"), ("-o=mapped.xyz", "mapped.xyz"), ("-o=mapped", "mapped"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "named"), MAP_POINTS)
def test_map_points_names_the_option(option: str, named: str, run: CommandLine) -> None:
    run.done("export", "scan", "png", "--scale=1")
    (run.folder / "png" / "labels.csv").write_text("image,x,y\nslice_0000,1,2\n")
    name, _, value = option.partition("=")
    run.refuses("map-points", "png/labels.csv", name, value, code=2, says=named)


CONFIGS = {
    "unknown key": ("scael: 0.5", "scael"),
    "unknown key of a specimen": (
        "sources: [{source: scan, output: out, scael: 0.5}]",
        "sources.0.scael",
    ),
    "text for a number": ("z-step: many", "z-step"),
    "list for a number": ("z-step: [1]", "z-step"),
    "mapping for a number": ("spacing: {x: 1}", "spacing"),
    "fraction for a whole number": ("z-step: 1.5", "z-step"),
    "yes for a number": ("z-step: yes", "z-step"),
    "yes for a spacing": ("spacing: yes", "spacing"),
    "yes for a scale": ("scale: yes", "scale"),
    "yes for a size": ("fit: yes", "fit"),
    "yes for jobs": ("jobs: yes", "jobs"),
    "text for yes": ("overwrite: perhaps", "overwrite"),
    "text yes for yes": ("overwrite: 'yes'", "overwrite"),
    "one for yes": ("overwrite: 1", "overwrite"),
    "text for a step": ("z-step: '2'", "z-step"),
    "text for a spacing": ("spacing: '2'", "spacing"),
    "number for bits": ("bits: 12", "bits"),
    "text for bits": ("bits: '8'", "bits"),
    "infinity": ("spacing: .inf", "spacing"),
    "not a number": ("scale: .nan", "scale"),
    "null": ("bits:", "bits"),
    "date": ("scale: 2020-01-01", "scale"),
    "date that is none": ("scale: 2020-99-99", "YAML"),
    "date as a source": ("source: 2020-01-01", "source"),
    "list of windows": ("window: [40, 0]", "window"),
    "negative crop": ("crop: [[-3, 5], [0, 5], [0, 2]]", "crop"),
    "crop of two": ("crop: [[0, 5], [0, 5]]", "crop"),
    "crop of text": ("crop: [a, b, c]", "crop"),
    "whole crop": ("crop: 5", "crop"),
    "series": ("series: [1]", "series"),
    "series yes": ("series: yes", "series"),
    "series number": ("series: 1.0", "series"),
    "source of a number": ("source: 5", "source"),
    "sources of text": ("sources: scan", "sources"),
    "sources null": ("sources:", "sources"),
    "specimen of text": ("sources: [scan]", "sources.0"),
    "specimen without output": ("sources: [{source: scan}]", "sources.0.output"),
    "specimen of specimens": (
        "sources: [{source: scan, output: out, sources: []}]",
        "sources.0.sources",
    ),
    "two decimations": ("scale: 0.5\nfit: 2GB", "contradict"),
    "one key twice": ("bits: 8\nbits: 16", "bits"),
    "one key in two spellings": ("z-step: 2\nz_step: 3", "z"),
    "not a mapping": ("- scale", "mapping"),
    "a number": ("5", "mapping"),
    "empty": ("", "mapping"),
    "number as key": ("1: 2", "mapping"),
    "list as key": ("[1]: 2", "YAML"),
    "not YAML": ("{", "YAML"),
    "tab": ("scale:\t0.5\n\tbits: 8", "YAML"),
    "two documents": ("bits: 8\n---\nbits: 16", "YAML"),
    "Python object": ("scale: !!python/object/apply:os.system ['touch pwned']", "YAML"),
    "alias": ("a: &a [1]\nb: *a", "alias"),
    "bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "alias"),
    "deep": ("scale: " + "[" * 5000, "YAML"),
    "control character": ("scale: \x01", "YAML"),
    "a number without end": ("bits: " + "1" * 5000, "YAML"),
    "NUL in a path": ('source: "a\\0b"\noutput: out', "source"),
    "NUL in an output": ('source: scan\noutput: "a\\0b"', "output"),
    "empty output": ('source: scan\noutput: ""', "output"),
    "empty source": ('source: ""\noutput: out', "source"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_a_wrong_config_names_its_key(name: str, run: CommandLine) -> None:
    text, says = CONFIGS[name]
    (run.folder / "config.yaml").write_text(text, encoding="utf-8")
    places = (
        ()
        if "source" in name or "specimen" in name or "NUL" in name or "output" in name
        else ("scan", "out")
    )
    run.refuses("export", *places, "--config", "config.yaml", code=2, says=("config.yaml", says))


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfes\0c\0", "scale: 0.5 # Größe".encode("latin-1"), b"\0\0\0\0", bytes(range(256))],
    ids=str,
)
def test_a_config_of_another_encoding_is_refused(data: bytes, run: CommandLine) -> None:
    (run.folder / "config.yaml").write_bytes(data)
    run.refuses("export", "scan", "out", "--config", "config.yaml", code=2, says="config.yaml")


@pytest.mark.slow
def test_any_bytes_changed_in_a_config_are_read_or_refused(run: CommandLine) -> None:
    text = (
        "scale: 1/2\nz-step: 2\nbits: 16\nwindow: [40, 400]\ncrop: '1:9,2:8,:'\nsources:\n-"
        " {source: scan, output: out}\n"
    )
    rng = random.Random(1)
    pieces = [
        b"",
        b":",
        b"\n",
        b"[",
        b"{",
        b"&",
        b"*",
        b"!",
        b"-",
        b"|",
        b"'",
        b"\xff",
        b"9" * 9,
        b"#",
        b" ",
        b"\t",
        b"?",
        b"~",
    ]
    for _ in range(250):
        data = bytearray(text.encode())
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(data))
            data[at : at + rng.choice([0, 1, 1, 3])] = rng.choice(pieces)
        (run.folder / "config.yaml").write_bytes(data)
        outcome = run("export", "--config", "config.yaml", "--dry-run")
        assert outcome.code in (0, 1, 2)
        assert outcome.code == 0 or "sidecar: " in outcome.err


@pytest.mark.slow
def test_a_config_with_many_keys_is_refused_soon(run: CommandLine) -> None:
    (run.folder / "config.yaml").write_text("".join(f"k{i}: 1\n" for i in range(20_000)))
    run.refuses("export", "scan", "out", "--config", "config.yaml", code=2, says="config.yaml")


def test_a_config_with_a_byte_order_mark_is_read(run: CommandLine) -> None:
    (run.folder / "config.yaml").write_text(
        "scale: 0.5\nsource: scan\noutput: out\n", encoding="utf-8-sig"
    )
    assert "10 × 8" in run.done("export", "--config", "config.yaml", "--dry-run").out


def test_a_huge_config_is_refused_unread(run: CommandLine) -> None:
    with (run.folder / "config.yaml").open("wb") as file:
        file.truncate(1 << 34)
    run.refuses("export", "scan", "out", "--config", "config.yaml", code=2, says="too large")


def test_specimens_need_outputs_of_their_own(run: CommandLine) -> None:
    copytree(run.folder / "scan", run.folder / "scan2")
    (run.folder / "config.yaml").write_text(
        "sources:\n- {source: scan, output: out}\n- {source: scan2, output: ./x/../out}\n"
    )
    run.refuses("export", "--config", "config.yaml", code=2, says="out")


def test_one_output_inside_another_is_refused(run: CommandLine) -> None:
    (run.folder / "config.yaml").write_text(
        "sources:\n- {source: scan, output: out}\n- {source: scan, output: out/second}\n"
    )
    run.refuses("export", "--config", "config.yaml", code=2, says=("out", "second"))


def test_a_specimen_at_fault_stops_all_of_them_before_anything_is_written(run: CommandLine) -> None:
    (run.folder / "config.yaml").write_text(
        "sources:\n- {source: scan, output: one}\n- {source: nowhere, output: two}\n"
    )
    run.refuses("export", "--config", "config.yaml", says="nowhere")
    assert not (run.folder / "one").exists()


def test_a_config_that_lists_sources_takes_no_other(run: CommandLine) -> None:
    (run.folder / "config.yaml").write_text("sources: [{source: scan, output: out}]\n")
    run.refuses("export", "scan", "out", "--config", "config.yaml", code=2, says="SOURCE")
    run.refuses("export", "--config", "config.yaml", "--bits=16", "--bits=12", code=2, says="bits")
