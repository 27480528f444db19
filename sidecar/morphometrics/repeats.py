"""The error of labelling: how far apart one landmark lies when one or several observers label it
repeatedly. Pure.

For a landmark with n sessions at pⱼ, their mean m, and dⱼ = ‖pⱼ − m‖:

    root mean square   √( Σ dⱼ² / (n − 1) )
    worst              max dⱼ

With a observers, where observer o has nₒ sessions with the mean mₒ, the sum of squares splits into
one part within and one part between observers (one-way analysis of variance with random effects,
summed over x, y and z):

    MS_within  = Σₒ Σⱼ ‖pₒⱼ − mₒ‖² / (n − a)          MS_between = Σₒ nₒ ‖mₒ − m‖² / (a − 1)
    intra-observer² = MS_within                        inter-observer² = (MS_between − MS_within)/n₀
    n₀ = ( n − Σₒ nₒ² / n ) / (a − 1)

Inter-observer is 0 where the observers' means are no further apart than the error within observers
explains. Two sessions of two observers differ by both errors: ISO 5725 calls √(intra² + inter²)
reproducibility, and intra alone repeatability. If every observer has only one session, the two
errors cannot be told apart, and both are None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.labels.tables.number_texts import numbers
from sidecar.morphometrics.align import is_on_a_line
from sidecar.morphometrics.sessions import Session
from sidecar.morphometrics.superimpose import superimpose

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RepeatedLandmark:
    """The error of one landmark, mm; None where the sessions do not tell it.

    ``sessions``: how many sessions have the landmark. ``rms_mm`` and ``worst_mm``: root mean square
    and largest of the distances from the mean of all sessions. ``worst_session``: the session that
    is furthest from the mean; "" if there are only two, because both are equally far.
    ``intra_observer_mm`` and ``inter_observer_mm``: the components within and between observers.
    ``procrustes_mm``: as ``rms_mm``, after superimposing the sessions. ``decimation_mm``: the
    largest uncertainty that decimation causes in any session; it is a bound, and the errors do not
    include it.
    """

    landmark: str
    sessions: int
    rms_mm: float | None
    worst_mm: float | None
    worst_session: str
    intra_observer_mm: float | None
    inter_observer_mm: float | None
    procrustes_mm: float | None
    decimation_mm: float


@dataclass(frozen=True)
class Repeats:
    """All landmarks of sessions on one scan.

    ``rms_mm``, ``intra_observer_mm``, ``inter_observer_mm`` and ``procrustes_mm``: the root mean
    square of the values of all landmarks. ``observers``: who labelled each session, "" where
    nothing says it. ``notes``: what is missing, left out, or unknown.
    """

    landmarks: tuple[RepeatedLandmark, ...]
    sessions: tuple[str, ...]
    observers: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def rms_mm(self) -> float | None:
        return _together([one.rms_mm for one in self.landmarks])

    @property
    def intra_observer_mm(self) -> float | None:
        return _together([one.intra_observer_mm for one in self.landmarks])

    @property
    def inter_observer_mm(self) -> float | None:
        return _together([one.inter_observer_mm for one in self.landmarks])

    @property
    def procrustes_mm(self) -> float | None:
        return _together([one.procrustes_mm for one in self.landmarks])

    def __repr__(self) -> str:
        rms = "" if self.rms_mm is None else f", {self.rms_mm:.4g} mm (rms)"
        return f"<Repeats: {len(self.landmarks)} landmarks in {len(self.sessions)} sessions{rms}>"


def repeats_of(sessions: Sequence[Session]) -> Repeats:
    """The errors of all landmarks, in order of first appearance.

    LabelError where sessions fit each other only as mirror images. MissingExtraError without scipy,
    which superimposing needs.
    """
    names = tuple(dict.fromkeys(name for one in sessions for name in one.landmarks.names))
    superimposed, why_not = _superimposed(sessions, names)
    landmarks = tuple(_landmark(name, sessions, superimposed.get(name)) for name in names)
    observers = tuple(one.observer for one in sessions)
    notes = [f"{one.name}: {note}" for one in sessions for note in one.landmarks.notes]
    notes += _missing(sessions, names) + _of_observers(observers) + why_not
    return Repeats(landmarks, tuple(one.name for one in sessions), observers, tuple(notes))


def columns_of(repeats: Repeats) -> dict[str, Sequence[str]]:
    """The errors as columns of a table, one row for each landmark. Unknown errors are empty."""
    found = repeats.landmarks
    return {
        "landmark": [one.landmark for one in found],
        "sessions": [str(one.sessions) for one in found],
        "rms_mm": _cells(one.rms_mm for one in found),
        "worst_mm": _cells(one.worst_mm for one in found),
        "worst_session": [one.worst_session for one in found],
        "intra_observer_mm": _cells(one.intra_observer_mm for one in found),
        "inter_observer_mm": _cells(one.inter_observer_mm for one in found),
        "procrustes_mm": _cells(one.procrustes_mm for one in found),
        "decimation_mm": _cells(one.decimation_mm for one in found),
    }


def _cells(errors: Iterable[float | None]) -> list[str]:
    return numbers(np.array([np.nan if one is None else one for one in errors]))


def _landmark(name: str, sessions: Sequence[Session], procrustes: float | None) -> RepeatedLandmark:
    having = [one for one in sessions if name in one.landmarks.numbers]
    places = np.concatenate([one.landmarks.places((name,)) for one in having])
    bounds = [one.landmarks.uncertainty_mm[one.landmarks.numbers[name]] for one in having]
    intra, inter = components(places, [one.observer for one in having])
    distances = np.linalg.norm(places - places.mean(axis=0), axis=1)
    told = len(having) > 1
    return RepeatedLandmark(
        landmark=name,
        sessions=len(having),
        rms_mm=_rms(distances) if told else None,
        worst_mm=float(distances.max()) if told else None,
        worst_session=having[int(distances.argmax())].name if len(having) > 2 else "",
        intra_observer_mm=intra,
        inter_observer_mm=inter,
        procrustes_mm=procrustes,
        decimation_mm=float(max(bounds)),
    )


def _rms(distances: Floats) -> float:
    """The root mean square of n distances from their own mean, which has n − 1 degrees of freedom
    in each direction.
    """
    return float(np.sqrt((distances**2).sum() / (len(distances) - 1)))


def components(places: Floats, observers: Sequence[str]) -> tuple[float | None, float | None]:
    """Intra- and inter-observer error, mm, of n places (n, 3) of one landmark; None if unknown."""
    who = list(dict.fromkeys(observers))
    n, a = len(places), len(who)
    if "" in who or n == a:
        return None, None
    own = [places[[observer == one for one in observers]] for observer in who]
    within = sum(float(((some - some.mean(axis=0)) ** 2).sum()) for some in own) / (n - a)
    if a == 1:
        return float(np.sqrt(within)), None
    mean = places.mean(axis=0)
    between = sum(len(some) * float(((some.mean(axis=0) - mean) ** 2).sum()) for some in own) / (
        a - 1
    )
    n0 = (n - sum(len(some) ** 2 for some in own) / n) / (a - 1)
    return float(np.sqrt(within)), float(np.sqrt(max(0.0, (between - within) / n0)))


def _superimposed(
    sessions: Sequence[Session], names: tuple[str, ...]
) -> tuple[dict[str, float], list[str]]:
    """Name → mm of the landmarks that all sessions have, after superimposing them without scale.

    Where there are none, also the reason.
    """
    common = tuple(name for name in names if all(name in one.landmarks.numbers for one in sessions))
    places = np.stack([one.landmarks.places(common) for one in sessions]) if common else None
    if places is None or len(common) < 3 or any(map(is_on_a_line, places)):
        problem = "they lie on one line" if len(common) >= 3 else f"there are only {len(common)}"
        return {}, [
            "the sessions were not superimposed: this needs three landmarks that all sessions have"
            f" and that do not lie on one line; here {problem}"
        ]
    distances = superimpose(places, [one.name for one in sessions]).residuals
    return {name: _rms(distances[:, i]) for i, name in enumerate(common)}, []


def _missing(sessions: Sequence[Session], names: tuple[str, ...]) -> list[str]:
    found = []
    for one in sessions:
        lacking = [repr(name) for name in names if name not in one.landmarks.numbers]
        if lacking:
            told = ", ".join(lacking[:10]) + (" …" if len(lacking) > 10 else "")
            found.append(
                f"{one.name} lacks {told}; errors of these landmarks are from the other sessions,"
                " and the superimposition does not use them"
            )
    return found


def _of_observers(observers: Sequence[str]) -> list[str]:
    """Notes on why errors within and between observers cannot be told apart."""
    if not any(observers):
        return [
            "the files do not say who labelled, so errors within and between observers cannot be"
            " separated; name the observers with --observer, or in a column observer"
        ]
    if len({*observers}) == 1:
        return [f"all sessions are by {observers[0]!r}, so there is no inter-observer error"]
    if len({*observers}) == len(observers):
        return [
            "each observer has one session, so errors within and between observers cannot be"
            " separated; rms_mm holds both"
        ]
    return []


def _together(errors: Sequence[float | None]) -> float | None:
    known = [one for one in errors if one is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None
