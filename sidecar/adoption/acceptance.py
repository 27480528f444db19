"""When an answer is refused, and the words for it. Every threshold of the matching is here.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sidecar.adoption.coarse.candidates import Idea, Pins
from sidecar.adoption.fine.depth import ROUNDING
from sidecar.adoption.fine.explain import Depth
from sidecar.adoption.fine.full_resolution import Closeup
from sidecar.adoption.fine.kernel_choice import Resampling, Rival
from sidecar.adoption.fine.trial_registration import Trial
from sidecar.adoption.model.exact_lines import Measured
from sidecar.adoption.model.placement import Placement, edges, in_words
from sidecar.errors import ImageError
from sidecar.grid.axis import Axis

#: Least correlation of detail of a trial that is pursued, and least correlation of the answer.
#: Measured: the lowest of right answers is 0.81, for 36 × 36 pixels with strong JPEG compression.
#: Other heads reach 0.45, slices between those of the scan 0.72.
LEAST_CORRELATION, SUFFICIENT = 0.6, 0.75
#: Largest ratio of what the answer leaves unexplained to what the runner-up leaves unexplained; and
#: to what the same answer, moved by one slice, leaves.
CLEAR, CLEAR_SLICES = 0.75, 0.9
#: Largest standard deviation of the edges of the images, in image pixels. Largest distance of an
#: image from the line of slices.
VAGUE_PLACE, ASTRAY = 0.25, 0.3
#: Two exact lines may explain the images equally well. If they are farther apart than this, in
#: pixels, neither is taken.
FAR_APART = 0.25
#: Most pixels by which the edges of an image may run askew to the axes of the source.
ASKEW = 0.25
#: Largest difference that a factor may make to the factor that the user gave, in pixels over the
#: whole image.
PINNED = 0.5
#: Most candidates that a refusal lists.
NAMED = 3

_PIN = "say what you know with --factor, --z-step or --flip"


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The best answer of another kind, in words.

    ``unexplained``: what it leaves unexplained. ``best``: what the answer leaves unexplained.
    """

    words: str
    unexplained: float
    best: float


def blank() -> ImageError:
    return ImageError("there is nothing to recognise on these images: they are blank, or nearly")


def not_found(trials: Sequence[Trial], ideas: Sequence[Idea], pins: Pins) -> ImageError:
    """The error where no trial is near. The ``ideas`` are listed where there are no trials to
    list.
    """
    given = [
        name
        for name, pin in (
            ("--factor", pins.factor),
            ("--z-step", pins.z_step),
            ("--flip", pins.flips),
        )
        if pin is not None
    ]
    wrong = f", or is what was given with {' and '.join(given)} wrong" if given else ""
    known = "" if given else f" If they are of this scan, {_PIN}."
    likely = sorted(ideas, key=lambda idea: -idea.line.score)[:NAMED]
    listed = [
        f"likeness {i.line.score:.2f} of thumbnails:"
        f" {_in_words(i.placement, i.line.step, i.line.offset)}"
        for i in likely
    ]
    nearest = _listed(trials) if trials else "\n".join(f"  {line}" for line in listed)
    near = f" The most similar places, none similar enough:\n{nearest}" if nearest else ""
    return ImageError(
        "these images were not found in this scan: are they of another series (--series), turned"
        f" by an odd angle, or of another scan{wrong}?{known}{near}"
    )


def runner_up(best: Trial, others: Sequence[Trial]) -> RunnerUp | None:
    """The best of the other answers; ImageError when it is nearly as good."""
    other = next((trial for trial in others if trial.is_straight), None)
    if other is None:
        return None
    if best.unexplained + ROUNDING > CLEAR * (other.unexplained + ROUNDING):
        raise ImageError(
            "these images can have been made in two ways that explain them about equally well (a"
            f" symmetric object, or slices that look alike); {_PIN}:\n{_listed([best, other])}"
        )
    return RunnerUp(describe(other), other.unexplained, best.unexplained)


def check_place(columns: Measured, rows: Measured, found: Resampling) -> None:
    """Refuse images that fit no exact line and do not fix where their edges are in the source."""
    for name, measured, line in (("columns", columns, found.columns), ("rows", rows, found.rows)):
        if not line.exact and measured.deviation > VAGUE_PLACE * max(
            1.0, abs(measured.axis.factor)
        ):
            raise ImageError(
                "these images show too little, or disagree: the place of their edges is known only"
                f" to {measured.deviation:.2g} source {name}; adopt a stack that shows more, or"
                " give --factor"
            )


def check_rivals(rivals: Sequence[Rival]) -> None:
    """Refuse images that fit two exact lines that are far apart."""
    for rival in (rival for rival in rivals if rival.apart > FAR_APART):
        lines = "\n".join(
            f"  source = {s.axis.factor:.6g} · pixel {s.axis.offset:+.6g}: {s.words}"
            for s in (rival.taken, rival.other)
        )
        raise ImageError(
            f"these images show too little: their {rival.name} can have been made in two ways,"
            " which cannot be told apart; adopt a stack that shows more, or give --factor:"
            f"\n{lines}"
        )


def check_straight(twists: Sequence[float], columns: Axis, rows: Axis) -> None:
    """Refuse images that are turned by an odd angle, sheared or warped. Factors and offsets
    cannot describe the place of their pixels.
    """
    askew = float(np.median(twists))
    if askew > ASKEW * max(1.0, abs(columns.factor), abs(rows.factor)):
        raise ImageError(
            "the edges of these images are not parallel to those of the scan, by"
            f" {askew:.2g} source pixels or more: are the images turned by an odd angle, sheared or"
            " warped? Only quarter turns and flips can be adopted"
        )


def check_extremes(left: float, by_extremes: float) -> None:
    """Refuse images that maxima or minima over slices explain better."""
    if by_extremes + ROUNDING < CLEAR * (left + ROUNDING):
        raise ImageError(
            "these images are more like projections (the brightest, or darkest, of several slices)"
            " than like slices or means of slices. A projection has no single place between the"
            " slices, so it cannot be adopted"
        )


def check_agreement(
    good: Sequence[Closeup], looked_at: Sequence[Closeup], step: float, names: Sequence[str]
) -> None:
    """Refuse stacks where fewer than half of the examined images are like a slice, or where all
    are like the same slice.
    """
    bad = ", ".join(
        names[closeup.number] for closeup in looked_at if all(closeup is not one for one in good)
    )
    if 2 * len(good) < len(looked_at):
        raise ImageError(
            f"too few of these images are like slices of this scan. These are not like any: {bad}"
        )
    if step == 0:
        raise ImageError(
            "these images all come out as the same slice of the scan: give --z-step, or adopt a"
            " stack that shows more"
        )


def check_depth(depth: Depth, names: Sequence[str]) -> None:
    """Refuse images that are not on one line of slices, or whose slices cannot be told from
    their neighbours.
    """
    worst = int(np.argmax(np.abs(depth.astray)))
    if abs(depth.astray[worst]) > ASTRAY:
        places = ", ".join(
            f"{names[n]} at slice {place:.4g}"
            for n, place in zip(depth.images, depth.places, strict=True)
        )
        raise ImageError(
            f"these images do not go through the scan in equal steps{_first_jump(depth, names)}:"
            " are some missing, doubled or out of order? Put the images that go in equal steps into"
            f" a folder of their own. These images were looked at: {places}"
        )
    own = depth.unexplained(depth.step, depth.offset) + ROUNDING
    aside = min(depth.unexplained(depth.step, depth.offset + one) for one in (-1.0, 1.0)) + ROUNDING
    if own > CLEAR_SLICES * aside:
        raise ImageError(
            "neighbouring slices of this scan explain these images equally well, so it cannot be"
            " known which slice an image shows"
        )


def _first_jump(depth: Depth, names: Sequence[str]) -> str:
    """The first two examined images between which the step differs from most steps, in words."""
    steps = np.diff(depth.places) / np.diff(depth.images)
    if len(steps) < 3:
        return ""
    beyond = np.abs(steps - np.median(steps)) * np.diff(depth.images)
    first = int(np.argmax(beyond > ASTRAY))
    return (
        f"; the first jump is between {names[depth.images[first]]} and"
        f" {names[depth.images[first + 1]]}"
        if beyond[first] > ASTRAY
        else ""
    )


def check_correlation(left: float) -> None:
    """Refuse an answer that leaves too much unexplained."""
    correlation = float(np.sqrt(max(0.0, 1 - left)))
    if correlation < SUFFICIENT:
        raise ImageError(
            f"these images are like slices of this scan (correlation {correlation:.2f}), but not"
            f" similar enough to be made from them ({SUFFICIENT:g} is needed): are they of another"
            " series, or of another reconstruction of the same scan?"
        )


def check_pins(pins: Pins, columns: Axis, rows: Axis, slices: Axis) -> None:
    """Refuse an answer that contradicts what the user gave."""
    if pins.factor is not None:
        for axis, asked in zip((columns, rows), pins.factor, strict=True):
            if abs(abs(axis.factor) - asked) * axis.size > PINNED * asked:
                raise ImageError(
                    f"--factor {asked:g} does not fit these images: one of their pixels covers"
                    f" {abs(axis.factor):.6g} source pixels"
                )
    if (
        pins.z_step is not None
        and slices.size > 1
        and abs(abs(slices.factor) - pins.z_step) * slices.size > PINNED * pins.z_step
    ):
        raise ImageError(
            f"--z-step {pins.z_step:g} does not fit these images: from one to the next there are"
            f" {abs(slices.factor):.6g} slices"
        )


def describe(trial: Trial) -> str:
    """A trial in one line."""
    return _in_words(trial.placement, trial.step, trial.offset)


def _in_words(placement: Placement, step: float, offset: float) -> str:
    columns, rows = placement.columns, placement.rows
    lines = (
        f"1/{abs(columns.factor):.4g} × 1/{abs(rows.factor):.4g} of columns {_span(columns)}, rows"
        f" {_span(rows)}"
    )
    return f"{in_words(placement.orientation)}, {lines}, slice {offset:.4g} {step:+.4g} per image"


def _listed(trials: Sequence[Trial]) -> str:
    return "\n".join(
        f"  correlation {trial.correlation:.2f}: {describe(trial)}" for trial in trials[:NAMED]
    )


def _span(axis: Axis) -> str:
    lower, upper = edges(axis)
    return f"{lower + 0.5:.1f} to {upper + 0.5:.1f}"
