"""IDAV Landmark .pts and Amira .landmarkAscii."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kit.label_truth import LANDMARKS, STACK, check
from kit.tool_files import point_sets

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, ReadOptions
from sidecar.labels.readers.point_sets import READERS

BY_NAME = {reader.name: reader for reader in READERS}
LANDMARK, AMIRA = BY_NAME["landmark"], BY_NAME["amira"]

#: Amira's landmarks have no names; they are numbered.
NUMBERED = [replace(m, name=str(n)) for n, m in enumerate(LANDMARKS, 1)]


def read(tmp_path: Path, text: str, name: str = "", origin: PixelOrigin | None = None) -> Labels:
    reader = AMIRA if "mira" in text or "Avizo" in text else LANDMARK
    path = tmp_path / f"skull.{'landmarkAscii' if reader is AMIRA else 'pts'}"
    path.write_text(text)
    assert reader.recognises(path, text.encode()[: 1 << 16])
    return (BY_NAME[name] if name else reader).read(path, STACK, ReadOptions(origin))


def test_landmarks_come_back(tmp_path: Path) -> None:
    check(read(tmp_path, point_sets.pts()))
    check(read(tmp_path, point_sets.amira()), NUMBERED)


@pytest.mark.parametrize(
    "text", [point_sets.pts(), point_sets.amira()], ids=["pts", "landmarkAscii"]
)
@pytest.mark.parametrize(("origin", "shift"), [(None, 0.0), ("center", 0.0), ("corner", 0.5)])
def test_forced_origin_moves_all_three_axes(
    tmp_path: Path, text: str, origin: PixelOrigin | None, shift: float
) -> None:
    inside = [m for m in LANDMARKS if m.slice > 0 and m.x > 0]
    labels = read(
        tmp_path,
        point_sets.pts(inside) if text == point_sets.pts() else point_sets.amira(inside),
        origin=origin,
    )
    assert labels.xy.tolist() == [[m.x - shift, m.y - shift] for m in inside]
    assert labels.slice.tolist() == [m.slice - shift for m in inside]


def test_bounds_are_those_of_the_stack(tmp_path: Path) -> None:
    far = replace(LANDMARKS[0], x=-80.0)
    for text in (point_sets.pts([*LANDMARKS, far]), point_sets.amira([*LANDMARKS, far])):
        with pytest.raises(
            LabelError, match=r"line \d+: lies outside the PNG stack.*`sidecar project`"
        ):
            read(tmp_path, text)
    corner = [replace(m, x=m.x * 0.02, y=m.y * 0.02, slice=0) for m in LANDMARKS]
    with pytest.raises(LabelError, match="both as voxel numbers and as millimetres"):
        read(tmp_path, point_sets.pts(corner))
    assert read(tmp_path, point_sets.pts(corner), "landmark-mm").xy[1].tolist() == pytest.approx(
        [LANDMARKS[1].x, LANDMARKS[1].y]
    )
    assert read(tmp_path, point_sets.pts(corner), "landmark-pixels").xy[1].tolist() == [
        corner[1].x,
        corner[1].y,
    ]


def test_missing_landmarks_of_landmark(tmp_path: Path) -> None:
    text = point_sets.pts().replace(
        "Version 1.0\n7\n", "Version 1.0\n8\nS0009 9999.000000 9999 9999\n"
    )
    labels = read(tmp_path, text)
    check(labels)
    assert labels.left_out == ("1 point left out (S0009, line 3): marked as missing (9999)",)


def test_further_data_of_amira_is_not_taken_for_points(tmp_path: Path) -> None:
    text = point_sets.amira().replace(
        "Coordinates } @1\n", "Coordinates } @1\nMarkers { int MarkerTypes } @2\n"
    )
    check(read(tmp_path, text + "\n@2\n" + "1\n" * len(LANDMARKS)), NUMBERED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            point_sets.pts().replace("\n7\n", "\n9\n"),
            r"skull\.pts, line 2: announces 9 points, but the file has 7",
        ),
        (point_sets.pts() + "\nS0001 1 2 3\n", "line 2: announces 7 points, but the file has 8"),
        (
            point_sets.pts().replace("nasion 12.5 40.5", "nasion 12,5 40.5"),
            "line 3: .*decimal comma",
        ),
        (
            point_sets.pts().replace("nasion 12.5 40.5", "40.5"),
            "line 3: does not hold a name followed by",
        ),
        (point_sets.pts().replace("12.5", "inf"), "line 3: .*not a number"),
        (
            point_sets.amira().replace("Markers 7", "Markers 8"),
            "define Markers: announces 8 points, but the file has 7",
        ),
        (point_sets.amira().replace("NumSets 1", "NumSets 2"), "two landmark sets"),
        (
            point_sets.amira().replace("} @1\n", "} @1\nMarkers2 { float[3] Coordinates2 } @2\n"),
            "two landmark sets",
        ),
        (point_sets.amira().replace("float[3]", "double[3]"), "declares no coordinates"),
        (point_sets.amira().replace("define", "undefine"), "not an ASCII landmark set"),
        (
            point_sets.amira().replace("3D ASCII", "BINARY-LITTLE-ENDIAN"),
            "is a binary landmark set",
        ),
        (
            point_sets.amira().replace("1.250000000000000e+01", "?"),
            "line 15: .*'\\?' is not a number",
        ),
    ],
)
def test_faults_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


def test_other_text_is_neither(tmp_path: Path) -> None:
    face = "version: 1\nn_points:  68\n{\n1.0 2.0\n}\n"
    for text in (face, "Version 1.0\n", "# AmiraMesh 3D ASCII 2.0\ndefine Lattice 3 3 3\n", ""):
        assert not any(reader.recognises(tmp_path / "a.pts", text.encode()) for reader in READERS)
    path = tmp_path / "a.pts"
    path.write_text(face)
    for reader in (LANDMARK, AMIRA):
        with pytest.raises(LabelError):
            reader.read(path, STACK)
