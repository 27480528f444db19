"""That the kernel gives what numpy gives, to the bit, and refuses what it does not take."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import kernel
from kit.phantoms import Spec, write

import sidecar
from sidecar.exporting.images import one_pass
from sidecar.formats.png import Compression
from sidecar.grid.axis import Axis
from sidecar.values.value_maps import Bits, Linear, Stored

#: Names the kernel to test, where it is one that sanitizers watch.
WATCHED = "SIDECAR_WATCHED_KERNEL"
INTEGERS = ["u1", "i1", "u2", "i2"]


@pytest.fixture(
    scope="module", params=[(), (kernel.CLONES,)], ids=["one instruction set", "clones"]
)
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The kernel, which `one_pass` uses while a test asks for this."""
    try:
        built = (
            Path(os.environ[WATCHED])
            if WATCHED in os.environ
            else kernel.compiled(tmp_path_factory.mktemp("kernel"), *request.param)
        )
    except subprocess.CalledProcessError:
        if not request.param:
            raise
        pytest.skip("this compiler cannot make one function for several instruction sets")
    before, one_pass._kernel = one_pass._kernel, kernel.loaded(built)
    yield one_pass._kernel
    one_pass._kernel = before


def by_numpy(work: Any, *arguments: Any) -> Any:
    """What a function of `one_pass` gives without the kernel."""
    used, one_pass._kernel = one_pass._kernel, None
    try:
        return work(*arguments)
    finally:
        one_pass._kernel = used


@st.composite
def axes(draw: st.DrawFn, length: int, kind: str) -> Axis:
    start = draw(st.integers(0, length - 1))
    stop = draw(st.integers(start + 1, length))
    if kind == "tents":
        return Axis.resize(start, stop, draw(st.integers(1, stop - start)))
    step = draw(st.integers(1, min(7, stop - start)))
    return Axis.blocks(start, start + (stop - start) // step * step, step, "mean")


@st.composite
def slices(draw: st.DrawFn) -> tuple[Any, ...]:
    """A plane of any type, two axes, a value map and a rescale."""
    dtype = np.dtype(draw(st.sampled_from([*INTEGERS, ">u2", "i4", "f4"])))
    integer: Any = dtype if dtype.kind in "ui" else np.int16
    limits = np.iinfo(integer)
    lowest, highest = int(limits.min), int(limits.max)
    shape = draw(st.integers(1, 90)), draw(st.integers(1, 200))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):  # the ends only, which is where rounding goes wrong
        plane = random.choice([lowest, highest - 1, highest], shape).astype(dtype)
    else:
        plane = random.integers(lowest, highest, shape, endpoint=True).astype(dtype)
    kind = draw(st.sampled_from(["blocks", "tents"]))
    columns, rows = draw(axes(shape[1], kind)), draw(axes(shape[0], kind))
    bits: Bits = draw(st.sampled_from([8, 16]))
    inverted = draw(st.booleans())
    values: Stored | Linear
    if draw(st.booleans()) and dtype.itemsize <= 2:
        stored: Bits = 8 if dtype.itemsize == 1 else 16
        values = Stored(lowest, highest, stored, inverted, (1.0, 0.0))
    else:
        lower = draw(st.floats(-40000, 40000))
        values = Linear(lower, lower + draw(st.floats(1e-3, 70000)), bits, inverted)
    rescale = (
        draw(st.floats(-5, 5).filter(lambda slope: abs(slope) > 1e-3)),
        draw(st.floats(-3e4, 3e4)),
    )
    return plane, columns, rows, values, rescale


@pytest.mark.slow
@given(slices())
@settings(deadline=None, max_examples=300)
def test_equal_to_numpy_to_the_bit(compiled: Any, one: tuple[Any, ...]) -> None:
    plane, columns, rows, *_ = one
    reduced = one_pass.reduced(plane, columns, rows)
    expected = by_numpy(one_pass.reduced, plane, columns, rows)
    assert reduced.dtype == expected.dtype
    assert np.array_equal(reduced, expected, equal_nan=plane.dtype.kind == "f")
    assert np.array_equal(one_pass.png_values(*one), by_numpy(one_pass.png_values, *one))
    compression: Compression
    for compression in ("fast", "small"):
        arguments: Any = *one, compression
        lines = one_pass.scanlines(*arguments)
        assert np.array_equal(lines, by_numpy(one_pass.scanlines, *arguments))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("scale", [1.0, 0.5, 1 / 3, 0.75, 0.4, 0.9990])
def test_the_kernel_is_what_makes_them(
    compiled: Any, monkeypatch: pytest.MonkeyPatch, dtype: str, scale: float
) -> None:
    """Numpy is not asked for any integer of up to 16 bits, however it is scaled."""
    plane = np.random.default_rng(3).integers(0, 100, (300, 420)).astype(dtype)
    columns, rows = (Axis.resize(0, n, round(n * scale)) for n in (420, 300))
    expected = by_numpy(one_pass.reduced, plane, columns, rows)
    monkeypatch.setattr(one_pass, "reduce_plane", None)
    assert np.array_equal(one_pass.reduced(plane, columns, rows), expected)


@pytest.mark.parametrize("shape", [(2, 33_001), (40_000, 1)])
def test_tents_of_many_samples(compiled: Any, shape: tuple[int, int]) -> None:
    """A tent has twice as many samples as fit into the largest block."""
    plane = np.random.default_rng(5).integers(0, 60_000, shape, dtype=np.uint16)
    columns, rows = (Axis.resize(0, n, min(n, 3)) for n in shape[::-1])
    expected = by_numpy(one_pass.reduced, plane, columns, rows)
    assert np.array_equal(one_pass.reduced(plane, columns, rows), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"scale": 0.5, "bits": 8},
        {"scale": 0.5, "bits": 16, "compression": "small"},
        {"scale": 0.37, "bits": 8, "crop": "5:60,3:,1:"},
        {"scale": 0.37, "z_step": 2, "z_filter": "mean", "bits": 16},
        {"scale": 0.75, "bits": 16, "plane": "coronal"},
    ],
)
@pytest.mark.parametrize("spec", [{}, {"signed": True}])
def test_an_export_is_the_same_to_the_byte(
    compiled: Any, spec: dict[str, Any], options: dict[str, Any], tmp_path: Path
) -> None:
    scan = write(Spec(columns=67, rows=59, slices=9, **spec), tmp_path / "scan").folder

    def pngs(name: str) -> dict[str, bytes]:
        sidecar.export(scan, tmp_path / name, **options)
        return {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.png")}

    made = pngs("kernel")
    assert made and made == by_numpy(pngs, "numpy")


def test_what_does_not_fit_is_refused(compiled: Any) -> None:
    plane, out = np.zeros((6, 8), np.uint16), np.zeros((3, 4), np.uint16)
    samples, weights = np.zeros((3, 2), np.int32), np.zeros((3, 2))
    columns = np.zeros((4, 2), np.int32), np.zeros((4, 2))
    block = (2, b"", b"")
    tents = (-2, samples, weights)
    good: dict[str, Any] = {
        "plane": plane, "out": out, "rows": block, "columns": block,
        "map": "s", "gain": 1.0, "bias": 0.0, "bits": 16, "filter": 0,
    }  # fmt: skip

    def call(**changed: Any) -> None:
        given = good | changed
        numbers = (given[name] for name in ("map", "gain", "bias", "bits", "filter"))
        compiled.render(given["plane"], given["out"], *given["rows"], *given["columns"], *numbers)

    call()
    call(rows=tents, columns=(-2, *columns))
    huge = 2**62
    bad: list[dict[str, Any]] = [
        {"plane": plane.astype("u4")}, {"plane": plane.astype("f4")}, {"plane": plane.astype(">u2")},
        {"plane": plane[0]}, {"plane": plane[:, ::2]}, {"plane": plane.T}, {"plane": plane[:0]},
        {"plane": np.broadcast_to(np.uint16(1), (6, 8))},
        {"plane": np.zeros(97, np.uint8)[1:].view(np.uint16).reshape(6, 8)},
        {"out": out[:2]}, {"out": np.zeros((3, 5), np.uint16)}, {"filter": 2}, {"filter": 1},
        {"bits": 8}, {"bits": 0}, {"bits": -16}, {"bits": 32}, {"bits": 2**31 - 1},
        {"map": "f"}, {"gain": 2.0}, {"gain": float("nan")}, {"bias": 1e9}, {"bias": float("inf")},
        {"rows": (0, b"", b"")}, {"rows": (4, b"", b"")}, {"rows": (huge, b"", b"")},
        {"rows": (-huge, samples, weights)}, {"rows": (-huge - huge, samples, weights)},
        {"rows": tents}, {"rows": (-2, b"", b""), "columns": (-2, *columns)},
        {"rows": (-4, samples, weights), "columns": (-2, *columns)},
        {"rows": (-2, samples, weights[:2]), "columns": (-2, *columns)},
        {"rows": (-2, samples + 6, weights), "columns": (-2, *columns)},
        {"rows": (-2, samples - 1, weights), "columns": (-2, *columns)},
        {"rows": (-2, samples, weights), "columns": (-2, columns[0] + 8, columns[1])},
    ]  # fmt: skip
    for changed in bad:
        with pytest.raises(ValueError, match="does not take"):
            call(**changed)
    for changed in ({"rows": (2**70, b"", b"")}, {"plane": 3}, {"out": b"read only"}):
        with pytest.raises((TypeError, OverflowError, BufferError)):
            call(**changed)
    call(rows=tents, columns=(-2, *columns), map="d", gain=float("inf"), bias=float("nan"))


@pytest.mark.slow
def test_nothing_is_read_or_written_beside_its_place(tmp_path: Path) -> None:
    """The tests above once more, of a kernel that the sanitizers watch."""
    command = kernel.compiler()
    library = subprocess.run(
        [*command, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("this compiler has no address sanitizer")
    sanitize = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    watched = {
        WATCHED: str(kernel.compiled(tmp_path, *sanitize)),
        "LD_PRELOAD": str(Path(library).resolve()),
        "ASAN_OPTIONS": "detect_leaks=0",  # of Python itself
    }
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*tests, __file__, "-k", "not clones"],
        env=os.environ | watched,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
