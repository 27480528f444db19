"""Pascal VOC: boxes, by either of the two rules in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.label_truth import STACK, WHOLE_CORNER, check_columns, slices, stated_sizes
from kit.tool_files import voc

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, ReadOptions
from sidecar.labels.readers.voc import READER

#: Boxes from a landmark to 40 x 20 pixels right and below of it, in corner coordinates.
BOXES = [
    (m.name, int(m.corner[0]), int(m.corner[1]), int(m.corner[0]) + 40, int(m.corner[1]) + 20)
    for m in WHOLE_CORNER
]


def test_a_box_at_the_edge_is_cut_there(tmp_path: Path) -> None:
    labels = read(tmp_path, voc.document([("a", 5, 6, 203.0001, 150)]))
    assert labels.xy[:, 0].tolist() == [4.5, 202.5, 202.5, 4.5]


GOOD = voc.document([("a", 1, 2, 30, 40)])


def read(tmp_path: Path, text: str, origin: PixelOrigin | None = None) -> Labels:
    path = tmp_path / "slice_0003.xml"
    path.write_text(text)
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, STACK, ReadOptions(origin))


def test_boxes_come_back_as_labelimg_writes_them(tmp_path: Path) -> None:
    labels = read(tmp_path, voc.document(BOXES))
    check_columns(labels)
    assert len(BOXES) > 1
    assert labels.xy[::4].tolist() == [[m.x, m.y] for m in WHOLE_CORNER]
    assert labels.xy[2::4].tolist() == [[m.x + 40, m.y + 20] for m in WHOLE_CORNER]
    assert list(labels.columns["label"]) == [m.name for m in WHOLE_CORNER for _ in range(4)]
    assert slices(labels) == [3] * len(labels)
    assert labels.columns["vertex"] == list("0123") * len(BOXES)
    assert set(labels.image) == {"png/slice_0003.png"}
    assert stated_sizes(labels) == {"png/slice_0003.png": (STACK.columns, STACK.rows)}
    assert any(
        "counted from 0" in note and "--pixel-origin center" in note for note in labels.notes
    )
    assert any("cuts fractions off" in note for note in labels.notes)


def test_the_rule_of_the_development_kit(tmp_path: Path) -> None:
    """A box around the first pixel alone is 1, 1, 1, 1 there; it reaches half a pixel around the
    middle, which is (0, 0).
    """
    labels = read(tmp_path, voc.document([("a", 1, 1, 1, 1)]), "center")
    assert labels.xy.tolist() == [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]
    assert labels.pixel_origin == "center"


def test_the_rules_differ_by_a_pixel_left_and_on_top_only(tmp_path: Path) -> None:
    tool, kit = (
        read(tmp_path, voc.document([("a", 10, 20, 30, 40)]), origin).xy
        for origin in ("corner", "center")
    )
    assert (tool - kit).tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]


def test_fractions_as_cvat_writes_them(tmp_path: Path) -> None:
    labels = read(tmp_path, voc.document([("a", 10.25, 20.5, 30.75, 40.0)]))
    assert labels.xy[0].tolist() == [9.75, 20.0]
    assert not any("cuts fractions off" in note for note in labels.notes)


def test_parts_and_polygons(tmp_path: Path) -> None:
    box = "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax></bndbox>"
    text = voc.document([("skull", 1, 2, 30, 40)])
    labels = read(
        tmp_path,
        text.replace("</bndbox>", f"</bndbox><part><name>orbit</name>{box}</part><polygon/>"),
    )
    assert labels.columns["label"] == ["skull"] * 4 + ["skull.orbit"] * 4
    assert labels.columns["shape_id"] == ["1"] * 4 + ["1.1"] * 4
    assert labels.xy[4].tolist() == [4.5, 5.5]
    assert any("1 polygon left out" in note for note in labels.notes)


@pytest.mark.parametrize(
    "change",
    [
        ("<filename>slice_0003.png<", "<filename>slice_0004.png<"),
        ("png\\slice_0003.png</path>", "png\\slice_0004.png</path>"),
    ],
)
def test_a_copy_that_was_renamed_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in GOOD
    with pytest.raises(LabelError, match=r"slice_0003\.xml: .*gives it two names: .*slice_0004"):
        read(tmp_path, GOOD.replace(*change))


def test_an_image_without_a_folder_or_a_name(tmp_path: Path) -> None:
    bare = GOOD.replace("<folder>png</folder>", "<folder></folder>")
    assert set(read(tmp_path, bare).image) == {"slice_0003.png"}
    nameless = bare.replace("<filename>slice_0003.png</filename>", "")
    assert set(read(tmp_path, nameless).image) == {"C:\\png\\slice_0003.png"}


def test_a_size_that_is_not_known(tmp_path: Path) -> None:
    text = voc.document(BOXES).replace(f"<width>{STACK.columns}<", "<width>0<")
    assert stated_sizes(read(tmp_path, text)) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("<xmin>1<", "<xmin>31<"), "object 1: xmax or ymax is smaller"),
        (GOOD.replace("<xmin>1<", "<xmin><"), "object 1: xmin '' is not a number"),
        (GOOD.replace("<xmin>1<", "<xmin>1,5<"), "object 1: .*decimal comma"),
        (
            GOOD.replace("bndbox", "robndbox").replace("<size>", "<size>", 1),
            "object 1: has no <bndbox>",
        ),
        (GOOD.replace("<width>203<", "<width>wide<"), "size: width 'wide' is not a number"),
        (GOOD[:-20], "not valid XML"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "attack",
    [
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY e "&b;&b;&b;&b;">]>',
        '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">',
    ],
)
def test_entities_and_document_types_are_refused(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(
        attack + GOOD.replace("<name>a<", "<name>&e;<" if "ENTITY e" in attack else "<name>a<")
    )
    with pytest.raises(LabelError, match="document type or an entity"):
        READER.read(path, STACK)


def test_other_xml_is_not_voc(tmp_path: Path) -> None:
    labelme_mit = "<annotation><filename>a.png</filename><object><name>a</name><polygon><pt><x>1</x></pt></polygon></object></annotation>"
    cvat = (
        "<?xml"
        " version='1.0'?><annotations><version>1.1</version><meta><size>3</size></meta></annotations>"
    )
    for text in (labelme_mit, cvat, "<svg/>", ""):
        assert not READER.recognises(tmp_path / "a.xml", text.encode())
    path = tmp_path / "a.xml"
    path.write_text(cvat)
    with pytest.raises(LabelError, match="root element is not <annotation>"):
        READER.read(path, STACK)
