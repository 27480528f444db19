"""The match of two stacks: candidates, trials, images at full resolution, exact lines.

`acceptance` refuses an answer that does not stand out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sidecar.adoption.acceptance import (
    LEAST_CORRELATION,
    RunnerUp,
    blank,
    check_agreement,
    check_correlation,
    check_depth,
    check_extremes,
    check_pins,
    check_place,
    check_rivals,
    check_straight,
    not_found,
    runner_up,
)
from sidecar.adoption.coarse.candidates import BLANK, Idea, Overview, Pins
from sidecar.adoption.fine.clipping import Range
from sidecar.adoption.fine.combine import pool
from sidecar.adoption.fine.explain import Depth, Sample, best_extremes, depth_of, reach_of, sample
from sidecar.adoption.fine.full_resolution import Closeup, look_closely
from sidecar.adoption.fine.kernel_choice import resampling_of, rivals_of, slices_line, with_leeway
from sidecar.adoption.fine.register import COARSEST, twist
from sidecar.adoption.fine.trial_registration import Trial, attempt
from sidecar.adoption.model.exact_lines import Measured, Snapped
from sidecar.adoption.model.placement import Along, Placement, edges
from sidecar.adoption.model.resampling_kernels import Kernel
from sidecar.adoption.model.stacks import ImageStack, Slices
from sidecar.grid.axis import Axis, spread
from sidecar.progress import Progress

#: Number of images in a trial, of images examined closely, and of images that kernels are compared
#: on; longer side, in pixels, to which trials reduce images.
TRIED, FITTED, SAMPLED, TRIAL_SIDE = 3, 8, 3, 256
#: Standard deviation that is assumed for a measured line, as a multiple of what the scatter of the
#: images shows. Measured errors were up to five times the scatter, where edges are steep and values
#: are bent.
MEASURED = 3.0
#: Part of the images that may remain unexplained before other ways of making them are tried.
DOUBTFUL = 0.01
#: Images are reduced by blocks of this size to measure larger angles.
COARSE_BLOCK = 4
#: Mm between columns, rows and slices; None where it is not known.
Spacing = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class StackMatch:
    """The answer: three lines, and how the images were made.

    ``deviations``: standard deviation of the ends of each line, as measured. ``along``: the source
    axis along image x and y.
    """

    columns: Snapped
    rows: Snapped
    slices: Snapped
    along: Along
    inverted: bool
    deviations: tuple[float, float, float]
    kernel: Kernel
    depth: Depth
    closeups: tuple[Closeup, ...]
    samples: tuple[Sample, ...]
    correlation: float
    runner_up: RunnerUp | None

    @property
    def placement(self) -> Placement:
        return Placement(self.columns.axis, self.rows.axis, self.along)

    @property
    def window(self) -> Range | None:
        """The window that most examined images were clipped to before they were reduced; None
        where most were not clipped.
        """
        windows = [closeup.window for closeup in self.closeups if closeup.window is not None]
        if 2 * len(windows) <= len(self.closeups):
            return None
        lower, upper = np.median(windows, axis=0)
        return float(lower), float(upper)


def match(
    slices: Slices, images: ImageStack, spacing: Spacing, pins: Pins, progress: Progress
) -> StackMatch:
    """Find how ``images`` were made from ``slices``.

    ImageError where no answer stands out. It lists the nearest answers.
    """
    progress.start("looking through the scan", None)
    square = None if spacing[0] is None or spacing[1] is None else (spacing[0], spacing[1])
    overview = Overview.of(slices, images, square, lambda: progress.advance(1, 0))
    chosen = _chosen(overview, FITTED)
    if not chosen:
        raise blank()
    best, others = _tried(slices, images, overview, pins, progress)
    second = runner_up(best, others)
    progress.start("looking closely", len(chosen))
    closeups = _looked_at(slices, images, chosen, best, progress)
    return _answer(slices, images, closeups, best, spacing, pins, second)


def _chosen(overview: Overview, count: int) -> list[int]:
    """Images, spread over the stack, on which something can be recognised."""
    telling = overview.images[overview.content > BLANK]
    return [int(telling[i]) for i in spread(len(telling), count)] if len(telling) else []


def _tried(
    slices: Slices, images: ImageStack, overview: Overview, pins: Pins, progress: Progress
) -> tuple[Trial, list[Trial]]:
    """The best trial, and the others. All scales are tried only where the likely ones lead
    nowhere.
    """
    reach = max(1, int(np.diff(overview.slices).max(initial=1)))
    tried = _chosen(overview, TRIED)
    found: list[Trial] = []
    ideas: list[Idea] = []
    for everywhere in (False, True) if pins.factor is None else (False,):
        progress.start("trying every scale" if everywhere else "comparing thumbnails", None)
        fresh = list(overview.ideas(pins, everywhere))
        ideas += fresh
        for idea in fresh:
            trial = attempt(
                slices, images, idea.placement, idea.line, tried, reach, TRIAL_SIDE, idea.inverted
            )
            found += [] if trial is None else [trial]
            progress.advance(1, 0)
        found = _distinct(found)
        if found and found[0].correlation >= LEAST_CORRELATION:
            return found[0], found[1:]
    raise not_found(found, ideas, pins)


def _distinct(trials: Sequence[Trial]) -> list[Trial]:
    """Trials, best first. Of those with the same answer, only the best is kept."""
    kept: list[Trial] = []
    for trial in sorted(trials, key=lambda t: t.unexplained):
        if not any(_same(trial, other) for other in kept):
            kept.append(trial)
    return kept


def _same(one: Trial, other: Trial) -> bool:
    a, b = one.placement, other.placement
    if a.orientation != b.orientation or np.abs(one.slices - other.slices).max() > 1:
        return False
    apart = np.abs(
        np.array([*edges(a.columns), *edges(a.rows)]) - [*edges(b.columns), *edges(b.rows)]
    ).max()
    return bool(apart < 2 * max(1.0, abs(a.columns.factor), abs(a.rows.factor)))


def _looked_at(
    slices: Slices, images: ImageStack, chosen: Sequence[int], trial: Trial, progress: Progress
) -> list[Closeup]:
    reach, start, guess = reach_of(trial.step), trial.leader.placement, None
    seen: list[Closeup] = []
    for number in chosen:
        seen.append(
            look_closely(
                slices, images, number, start, trial.step * number + trial.offset, reach, guess
            )
        )
        guess = seen[-1].window or guess
        progress.advance(1, 0)
    return seen


def _leeway(line: Snapped, deviation: float) -> float:
    """How far a line may be off, as a standard deviation. An error that blurs or bends edges in
    the same way on all images makes no scatter.
    """
    return deviation if line.exact else max(MEASURED * deviation, line.leeway)


def _askew(sample: Sample, placement: Placement) -> float:
    """Source pixels by which the edges of an image run askew. Larger angles are measured on a
    reduced image.
    """
    blocks = [1] if min(sample.image.shape) < COARSE_BLOCK * COARSEST else [1, COARSE_BLOCK]
    return max(twist(sample.plane, sample.image, placement, block) for block in blocks)


def _answer(
    slices: Slices,
    images: ImageStack,
    closeups: Sequence[Closeup],
    trial: Trial,
    spacing: Spacing,
    pins: Pins,
    second: RunnerUp | None,
) -> StackMatch:
    good = [
        closeup for closeup in closeups if closeup.fit.correlation >= LEAST_CORRELATION
    ] or list(closeups)
    depth = depth_of(good, trial.step)
    check_agreement(good, closeups, depth.step, images.names)
    pooled = pool([closeup.fit for closeup in good])
    check_depth(depth, images.names)
    samples = [
        sample(slices, images, closeup, depth) for closeup in good[:: -(-len(good) // SAMPLED)]
    ]
    columns = Measured(
        pooled.placement.columns, pooled.columns_deviation, slices.columns, spacing[0]
    )
    rows = Measured(pooled.placement.rows, pooled.rows_deviation, slices.rows, spacing[1])
    resampling = resampling_of(samples, columns, rows, pooled.placement.along)
    line = Measured(
        Axis(depth.step, depth.offset, len(images), "resize"),
        depth.deviation,
        len(slices),
        spacing[2],
    )
    found = slices_line(line, depth)
    placement = Placement(resampling.columns.axis, resampling.rows.axis, pooled.placement.along)
    check_straight(
        [_askew(one, placement) for one in samples], resampling.columns.axis, resampling.rows.axis
    )
    check_correlation(resampling.unexplained)
    if resampling.unexplained > DOUBTFUL:
        extremes = [
            (one.unexplained(placement, resampling.kernel), best_extremes(slices, one, placement))
            for one in samples
        ]
        check_extremes(*(float(np.median(column)) for column in zip(*extremes, strict=True)))
    check_place(columns, rows, resampling)
    rivals = rivals_of(samples, columns, rows, pooled.placement.along, resampling)
    check_rivals(rivals)
    across, down = (with_leeway(one, rivals) for one in (resampling.columns, resampling.rows))
    check_pins(pins, resampling.columns.axis, resampling.rows.axis, found.axis)
    return StackMatch(
        columns=across,
        rows=down,
        slices=found,
        along=pooled.placement.along,
        inverted=trial.inverted,
        deviations=(
            _leeway(across, pooled.columns_deviation),
            _leeway(down, pooled.rows_deviation),
            _leeway(found, depth.deviation),
        ),
        kernel=resampling.kernel,
        depth=depth,
        closeups=tuple(closeups),
        samples=tuple(samples),
        correlation=float(np.sqrt(max(0.0, 1 - resampling.unexplained))),
        runner_up=second,
    )
