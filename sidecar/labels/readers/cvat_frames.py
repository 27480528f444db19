"""Find the PNGs that belong to the frames of a CVAT task.

A task may take a part of the uploaded images: those from start_frame to stop_frame, with the step
in frame_filter. Frame numbers in the file are those of the upload. Source: CVAT,
cvat/apps/dataset_manager/bindings.py (abs_frame_id).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from sidecar.errors import LabelError, counted
from sidecar.labels.model import PngStack
from sidecar.labels.text import whole

_STEP = re.compile(r"step\s*=\s*(\d+)", re.ASCII)
_WAY_OUT = 'export it as "CVAT for images 1.1", which names the images'


@dataclass(frozen=True, slots=True)
class Frames:
    """PNG = (frame - start) / step. ``taken``: the frames of the task, None where the file does not
    state them.
    """

    start: int = 0
    step: int = 1
    taken: range | None = None

    def slice_of(self, frame: int, path: Path, where: str) -> int:
        """The PNG of a frame. LabelError for a frame that the task does not have."""
        if self.taken is not None and frame not in self.taken:
            raise LabelError(
                f"the task has no frame {frame}; its frames are {self.taken[0]} to"
                f" {self.taken[-1]} in steps of {self.taken.step}",
                path,
                where,
            )
        return (frame - self.start) // self.step

    @property
    def note(self) -> str:
        if (self.start, self.step) == (0, 1):
            return (
                "Frame numbers were taken as PNG slice numbers from 0. This is right if all PNGs"
                " were uploaded in order"
            )
        return (
            f"The task has as many frames as there are PNGs: from {self.start} in steps of"
            f" {self.step}. They were taken as the PNGs, in order"
        )


def frames_of(root: Element, tracks: Sequence[Element], stack: PngStack, path: Path) -> Frames:
    """The frames of tracks, which name no image.

    LabelError where the file shows that the frames are not exactly these PNGs, or where it is not
    certain which frame is which PNG.
    """
    tasks = {track.get("task_id") for track in tracks}
    if len(tasks) > 1:
        raise LabelError(
            f"holds tracks of several tasks, and each task counts its own frames; {_WAY_OUT}", path
        )
    metas = [meta for name in ("task", "job") for meta in root.iterfind(f"meta//{name}")]
    if len(metas) > 1:
        metas = [meta for meta in metas if meta.findtext("id") in tasks]
    for meta in metas:
        _check_size(meta, stack, path)
    frames = [_frames(meta, stack, path) for meta in metas if meta.find("size") is not None]
    return frames[0] if frames else Frames()


def _check_size(meta: Element, stack: PngStack, path: Path) -> None:
    for size in meta.iterfind(".//original_size"):
        width, height = (
            whole(size.findtext(name), path, "original_size", name) for name in ("width", "height")
        )
        if (width, height) != (stack.columns, stack.rows):
            raise LabelError(
                f"was made on frames of {width} x {height} pixels, but the PNGs have"
                f" {stack.columns} x {stack.rows}",
                path,
            )


def _frames(meta: Element, stack: PngStack, path: Path) -> Frames:
    """The frames of the task are the PNGs if there are as many of them. The uploaded images are the
    PNGs if the last image is the last PNG.
    """
    size = whole(meta.findtext("size"), path, "meta", "size")
    start = whole(meta.findtext("start_frame") or "0", path, "meta", "start_frame")
    step = _step(meta.findtext("frame_filter") or "", path)
    end = meta.findtext("stop_frame") or str(start + step * (size - 1))
    stop = whole(end, path, "meta", "stop_frame")
    taken = range(start, stop + 1, step)
    if size < 1 or len(taken) != size:
        raise LabelError(
            f"says that its task has {counted(size, 'frame')}, but also that they are {start} to"
            f" {stop} in steps of {step}; these do not agree; {_WAY_OUT}",
            path,
        )
    if size == stack.slices:
        return Frames(start, step, taken)
    if stop + 1 == stack.slices:
        return Frames(0, 1, taken)
    raise LabelError(
        f"was made on {counted(size, 'frame')}, but the stack has {counted(stack.slices, 'PNG')},"
        f" and the file does not say which frame is which PNG; {_WAY_OUT}",
        path,
    )


def _step(text: str, path: Path) -> int:
    found = _STEP.fullmatch(text.strip())
    step = int(found[1]) if found else 1
    if (text.strip() and not found) or step < 1:
        raise LabelError(f"frame_filter {text[:40]!r} is not known; {_WAY_OUT}", path, "meta")
    return step
