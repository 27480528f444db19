"""From two stacks to one answer, or a refusal that says what is missing: ideas, trials, the fit at full resolution, the checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sidecar.adopt.closeup import Closeup, look_closely
from sidecar.adopt.explain import Depth, depth_of, reach_of, sample
from sidecar.adopt.forward import Kernel
from sidecar.adopt.ideas import BLANK, Overview, Pins, spread
from sidecar.adopt.placement import Placement, edges
from sidecar.adopt.pool import pool
from sidecar.adopt.register import Fit
from sidecar.adopt.resampling import resampling_of, slices_line
from sidecar.adopt.snap import Measured, Snapped
from sidecar.adopt.trial import Images, Slices, Trial, attempt
from sidecar.errors import ImageError
from sidecar.progress import Progress
from sidecar.sampling import Axis

#: Images that a trial and the final fit look at, and the longer side that trials reduce them to.
TRIED, FITTED, TRIAL_SIDE = 3, 8, 256
#: Correlation of detail below which images are not slices of this source.
LEAST_CORRELATION = 0.6
#: The best answer must leave at most this part of what the runner-up leaves unexplained; beside it, neighbouring slices this part.
CLEAR, CLEAR_SLICES = 0.75, 0.9
#: Slices that an answer off by one would be moved by.
NEXT = 1.0


@dataclass(frozen=True)
class RunnerUp:
    """The best answer of another kind, in words, and what it leaves unexplained where the answer leaves ``best``."""

    words: str
    unexplained: float
    best: float


@dataclass(frozen=True)
class Match:
    """The answer: three lines, how sure they are, and how the images were made."""

    columns: Snapped
    rows: Snapped
    slices: Snapped
    transposed: bool
    deviations: tuple[float, float, float]
    kernel: Kernel
    depth: Depth
    fits: tuple[Fit, ...]
    correlation: float
    runner_up: RunnerUp | None

    @property
    def placement(self) -> Placement:
        return Placement(self.columns.axis, self.rows.axis, self.transposed)


def match(
    slices: Slices, images: Images, spacing: tuple[float | None, float | None, float | None], pins: Pins, progress: Progress
) -> Match:
    """Find how ``images`` were made from ``slices``. ``spacing``: mm between columns, rows, slices. ImageError when no answer stands out."""
    progress.start("looking through the scan", None)
    square = None if spacing[0] is None or spacing[1] is None else (spacing[0], spacing[1])
    overview = Overview.of(slices, images, square, lambda: progress.advance(1, 0))
    chosen = _chosen(overview, FITTED)
    if not chosen:
        raise ImageError("there is nothing to recognise on these images: they are blank, or nearly")
    best, others = _tried(slices, images, overview, pins, progress)
    progress.start("fitting at full resolution", len(chosen))
    answer = _fitted(slices, images, chosen, best, spacing, pins, progress)
    return replace(answer, runner_up=_checked(answer, best, others))


def _chosen(overview: Overview, count: int) -> list[int]:
    """Images spread over the stack with something to recognise on them."""
    telling = overview.images[overview.content > BLANK]
    return [int(telling[i]) for i in spread(len(telling), count)] if len(telling) else []


def _tried(slices: Slices, images: Images, overview: Overview, pins: Pins, progress: Progress) -> tuple[Trial, list[Trial]]:
    """The best trial, and the others; at all scales only when the likely ones lead nowhere."""
    reach = max(1, int(np.diff(overview.slices).max(initial=1)))
    found: list[Trial] = []
    for everywhere in (False, True) if pins.factor is None else (False,):
        progress.start("trying scales" if everywhere else "comparing thumbnails", None)
        for idea in overview.ideas(pins, everywhere):
            trial = attempt(slices, images, idea.placement, idea.line, _chosen(overview, TRIED), reach, TRIAL_SIDE)
            found += [] if trial is None else [trial]
            progress.advance(1, 0)
        found = _distinct(found)
        if found and found[0].correlation >= LEAST_CORRELATION:
            return found[0], found[1:]
    raise ImageError(_not_found(found))


def _distinct(trials: Sequence[Trial]) -> list[Trial]:
    """Best first, those that came to the same answer only once."""
    kept: list[Trial] = []
    for trial in sorted(trials, key=lambda t: t.unexplained):
        if not any(_same(trial, other) for other in kept):
            kept.append(trial)
    return kept


def _same(one: Trial, other: Trial) -> bool:
    a, b = one.placement, other.placement
    if a.orientation != b.orientation or np.abs(one.slices - other.slices).max() > 1:
        return False
    apart = np.abs(np.array([*edges(a.columns), *edges(a.rows)]) - [*edges(b.columns), *edges(b.rows)]).max()
    return bool(apart < 2 * max(1.0, abs(a.columns.factor), abs(a.rows.factor)))


def _fitted(
    slices: Slices, images: Images, chosen: list[int], trial: Trial, spacing: Sequence[float | None], pins: Pins, progress: Progress
) -> Match:
    reach, leader, guess = reach_of(trial.step), trial.leader.placement, None
    seen: list[Closeup] = []
    for number in chosen:
        seen.append(look_closely(slices, images, number, leader, trial.step * number + trial.offset, reach, guess))
        guess = seen[-1].window or guess
        progress.advance(1, 0)
    fits = [closeup.fit for closeup in seen]
    depth = depth_of(seen, trial.step)
    pooled = pool(fits)
    good = [closeup for closeup in seen if closeup.fit.correlation >= LEAST_CORRELATION] or seen[:1]
    samples = [sample(slices, images, closeup, depth) for closeup in good[:: max(1, len(good) // TRIED)]]
    sizes = slices.columns, slices.rows
    columns, rows = (
        Measured(axis, deviation, length, mm)
        for axis, deviation, length, mm in zip(
            (pooled.placement.columns, pooled.placement.rows), (pooled.columns_deviation, pooled.rows_deviation), sizes, spacing[:2], strict=True
        )
    )
    resampling = resampling_of(samples, columns, rows, trial.placement.transposed)
    line = Measured(Axis(depth.step, depth.offset, len(images), "resize"), depth.deviation, len(slices), spacing[2])
    return Match(
        columns=resampling.columns,
        rows=resampling.rows,
        slices=slices_line(line, depth),
        transposed=trial.placement.transposed,
        deviations=(pooled.columns_deviation, pooled.rows_deviation, depth.deviation),
        kernel=resampling.kernel,
        depth=depth,
        fits=tuple(fits),
        correlation=float(np.sqrt(max(0.0, 1 - resampling.unexplained))),
        runner_up=None,
    )


def _checked(answer: Match, best: Trial, others: Sequence[Trial]) -> RunnerUp | None:
    """Refuse an answer that does not stand out."""
    if answer.correlation < LEAST_CORRELATION:
        raise ImageError(f"not sure enough {answer.correlation}")
    own = answer.depth.unexplained(answer.depth.step, answer.depth.offset)
    aside = min(answer.depth.unexplained(answer.depth.step, answer.depth.offset + shift) for shift in (-NEXT, NEXT))
    if own > CLEAR_SLICES * aside:
        raise ImageError(f"slices cannot be told apart {own} {aside}")
    other = next((t for t in others if t.is_straight), None)
    if other is None:
        return None
    if best.unexplained > CLEAR * other.unexplained:
        raise ImageError(f"two answers: {best.unexplained:.4f} {other.unexplained:.4f} {best.placement} {other.placement}")
    return RunnerUp(other.placement.orientation.name, other.unexplained, best.unexplained)


def _not_found(trials: Sequence[Trial]) -> str:
    return "not found: " + "; ".join(f"{t.correlation:.3f}" for t in trials[:3])
