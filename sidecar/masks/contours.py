"""Pixels of one label → closed contours along their edges. Pure.

Vertices are points of the lattice between pixels: (x, y) is the corner that pixels (x − 1, y − 1)
and (x, y) share. So they are whole numbers from 0 to the width and height. Contours have vertices
only where they turn. Pixels that touch only at a corner are separate.

A hole is joined to the contour around it by a cut there and back along one line ("keyhole", PS3.3
C.8.8.6.3). Some programs fill every contour of an RTSTRUCT. Others take contours within contours as
holes. Both kinds then see the hole. The outer contour runs clockwise on the image (y down), and its
holes run the other way. A cut lies a third below the upper edge of a row of pixels. No centre of a
pixel lies there, and no centre of a source pixel, as each PNG pixel stands for a whole number of
them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vertices = NDArray[np.float64]
Point = tuple[float, float]
Ring = NDArray[np.int64]

#: Distance of a cut from the upper edge of its row of pixels, in pixels.
CUT = 1 / 3
#: Rows that are looked through at a time.
_BAND = 16


def bands(plane: NDArray[Any]) -> dict[int, slice]:
    """For every value of a (rows, columns) plane, 0 aside, the rows that it lies in, to the next
    whole `_BAND`: so that hundreds of small labels are not each looked for everywhere.
    """
    found: dict[int, slice] = {}
    for start in range(0, len(plane), _BAND):
        stop = min(start + _BAND, len(plane))
        for value in np.flatnonzero(np.bincount(plane[start:stop].ravel())).tolist():
            found[value] = slice(found[value].start if value in found else start, stop)
    found.pop(0, None)
    return found


def contours(inside: NDArray[np.bool_], first_row: int = 0) -> list[Vertices]:
    """One (n, 2) contour of vertices x, y for every part of a (rows, columns) mask, its holes cut
    in. The first vertex is not repeated. ``first_row``: the number of the mask's first row.
    """
    outer, holes = trace(inside)
    for ring in (*outer, *holes):
        ring[:, 1] += first_row
    return _keyholed(outer, holes) if holes else [ring.astype(np.float64) for ring in outer]


def trace(inside: NDArray[np.bool_]) -> tuple[list[Ring], list[Ring]]:
    """The rings around the parts of a (rows, columns) mask, clockwise, and the rings around its
    holes, the other way.
    """
    padded = np.pad(inside, 1)
    above_left, above_right = padded[:-1, :-1], padded[:-1, 1:]
    below_left, below_right = padded[1:, :-1], padded[1:, 1:]
    straight = ((above_left == above_right) & (below_left == below_right)) | (
        (above_left == below_left) & (above_right == below_right)
    )
    crossed = (
        (above_left == below_right) & (above_right == below_left) & (above_left != above_right)
    )
    y, x = np.nonzero(~straight)
    twice = crossed[y, x]
    x, y, twice = (np.repeat(values, 1 + twice) for values in (x, y, twice))
    # Along a row, corners are in turn the left and the right end of a horizontal edge. Along a
    # column they are the ends of vertical edges. Where four pixels meet crosswise, the corner is
    # there twice. Which of the two has the vertical edge from above depends on which pixels are
    # inside.
    second = np.zeros(len(x), dtype=bool)
    second[1:] = twice[1:] & (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    swapped = twice & ~above_left[y, x]
    horizontal = _partners(np.lexsort((second, x, y)))
    vertical = _partners(np.lexsort((second ^ swapped, y, x)))
    outer, holes = [], []
    for corners in _cycles(horizontal, vertical):
        ring = np.column_stack([x[corners], y[corners]])
        # The first corner is the topmost, leftmost one. The ring goes to the right from there.
        if padded[y[corners[0]] + 1, x[corners[0]] + 1]:
            outer.append(ring)
        else:
            holes.append(ring[::-1])
    return outer, holes


def _partners(order: NDArray[np.intp]) -> list[int]:
    partner = np.empty(len(order), dtype=np.intp)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return [int(p) for p in partner]


def _cycles(horizontal: list[int], vertical: list[int]) -> Iterator[list[int]]:
    """The corners around each ring in order. A ring starts at its first corner, along a
    horizontal edge.
    """
    seen = [False] * len(horizontal)
    for start in range(len(seen)):
        ring: list[int] = []
        corner = start
        while not seen[corner]:
            next_corner = horizontal[corner]
            seen[corner] = seen[next_corner] = True
            ring += [corner, next_corner]
            corner = vertical[next_corner]
        if ring:
            yield ring


@dataclass(frozen=True, slots=True)
class _Cut:
    """The cut between a hole and the ring around it.

    It goes from ``at``, on edge ``edge`` of that ring, to ``to``, on edge ``hole_edge`` of the
    hole.
    """

    edge: int
    at: Point
    hole: int
    hole_edge: int
    to: Point


def _keyholed(outer: list[Ring], holes: list[Ring]) -> list[Vertices]:
    rings = [*outer, *holes]
    edges = _vertical_edges(rings)
    cuts: defaultdict[int, list[_Cut]] = defaultdict(list)
    for around, cut in _cuts(edges, first_hole=len(outer)):
        cuts[around].append(cut)
    return [np.array(_walk(rings, cuts, number), dtype=np.float64) for number in range(len(outer))]


def _vertical_edges(rings: list[Ring]) -> NDArray[np.int64]:
    """(n, 4) for every vertical edge of every pixel: row, x, ring, and the number of the edge in
    the ring. Sorted by row and x.
    """
    corners = np.concatenate(rings)
    lengths = np.array([len(ring) for ring in rings])
    number = np.repeat(np.arange(len(rings)), lengths)
    first = np.cumsum(lengths) - lengths
    edge = np.arange(len(corners)) - first[number]
    after = corners[first[number] + (edge + 1) % lengths[number]]
    vertical = corners[:, 0] == after[:, 0]
    top = np.minimum(corners[:, 1], after[:, 1])[vertical]
    rows = np.abs(corners[:, 1] - after[:, 1])[vertical]
    row = np.repeat(top - np.cumsum(rows) + rows, rows) + np.arange(rows.sum())
    table = np.column_stack(
        [row, *(np.repeat(values[vertical], rows) for values in (corners[:, 0], number, edge))]
    )
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def _cuts(edges: NDArray[np.int64], first_hole: int) -> Iterator[tuple[int, _Cut]]:
    """For every hole, the ring around it and the cut. The cut goes from the leftmost edge of the
    hole straight to the left, to the next edge.
    """
    of_holes = np.flatnonzero(edges[:, 2] >= first_hole)
    leftmost = of_holes[np.lexsort((edges[of_holes, 1], edges[of_holes, 2]))]
    _, firsts = np.unique(edges[leftmost, 2], return_index=True)
    for place in leftmost[firsts]:
        row, x, hole, hole_edge = edges[place].tolist()
        _, at_x, around, edge = edges[place - 1].tolist()
        yield around, _Cut(edge, (at_x, row + CUT), hole, hole_edge, (x, row + CUT))


def _walk(rings: list[Ring], cuts: dict[int, list[_Cut]], outer: int) -> list[Point]:
    """The vertices of a ring, which goes around each hole where its cut begins. Holes can hang
    on holes, so the rings are on a stack.
    """
    out: list[Point] = []
    stack = [_steps(rings[outer], cuts.get(outer, []), first=0)]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
        elif isinstance(step, _Cut):
            # The cuts of other holes reach a ring from the right. To the right of a hole's leftmost
            # edge is the hole itself, so no other cut ends on that edge.
            around = _steps(rings[step.hole], cuts.get(step.hole, []), first=step.hole_edge + 1)
            stack.append(itertools.chain([step.at, step.to], around, [step.to, step.at]))
        else:
            out.append(step)
    return out


def _steps(ring: Ring, cuts: list[_Cut], first: int) -> Iterator[Point | _Cut]:
    """The vertices of a ring from number ``first`` on. The cuts on an edge follow the vertex at
    which the edge begins.
    """
    by_edge: defaultdict[int, list[_Cut]] = defaultdict(list)
    for cut in cuts:
        by_edge[cut.edge].append(cut)
    points = ring.tolist()
    for k in range(first, first + len(points)):
        (x, y), (_, next_y) = points[k % len(points)], points[(k + 1) % len(points)]
        yield float(x), float(y)
        yield from sorted(
            by_edge.get(k % len(points), []), key=lambda cut: cut.at[1], reverse=y > next_y
        )
