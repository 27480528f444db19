"""CVAT XML 1.1: two decimals, images by name, tracks by frame."""

from __future__ import annotations

from collections.abc import Sequence

from ..label_truth import Landmark


def document(body: str, mode: str = "annotation", size: int = 12, original: str = "") -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>4</id>
      <name>skull</name>
      <size>{size}</size>
      <mode>{mode}</mode>
      <labels><label><name>nasion</name><type>points</type><attributes></attributes></label></labels>
      <segments><segment><id>4</id><start>0</start><stop>11</stop></segment></segments>
      {original}
    </task>
    <dumped>2026-09-25 11:38:28.799808+03:00</dumped>
  </meta>
{body}
</annotations>
"""


def image(name: str, *elements: str) -> str:
    return (
        f'  <image id="0" name="{name}" width="203" height="151">\n    '
        + "\n    ".join(elements)
        + "\n  </image>"
    )


def point(m: Landmark, more: str = "") -> str:
    return (
        f'<points label="{m.name}" source="manual" occluded="0" {more}'
        f' points="{m.corner[0]:.2f},{m.corner[1]:.2f}" z_order="0">\n</points>'
    )


def of_images(landmarks: Sequence[Landmark]) -> str:
    return document("\n".join(image(f"png/{m.image}", point(m)) for m in landmarks))


def of_video(landmarks: Sequence[Landmark]) -> str:
    """CVAT ends a shape by a keyframe that is outside, on the next frame."""
    tracks = [
        f'<track id="{n}" label="{m.name}" source="manual">'
        + point(m, f'frame="{m.slice}" keyframe="1" outside="0"')
        + point(m, f'frame="{m.slice + 1}" keyframe="1" outside="1"')
        + "</track>"
        for n, m in enumerate(landmarks)
    ]
    size = "<original_size><width>203</width><height>151</height></original_size>"
    return document("\n".join(tracks), mode="interpolation", original=size)


SKELETON = """<skeleton label="skull" source="manual" z_order="0">
  <points label="1" occluded="0" outside="0" points="54.50,94.50"><attribute name="side">left</attribute></points>
  <points label="2" occluded="0" outside="1" points="68.00,62.00"></points>
  <points label="3" occluded="1" outside="0" points="125.50,62.50"></points>
  <attribute name="age">old</attribute>
</skeleton>"""
