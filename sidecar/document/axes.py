"""A decimation as sidecar.json states it, and back. Pure.

For each source axis the document states factor, offset, size and method. The factor is negative
where the PNGs run the other way. ``order`` names the source axes along PNG x, y and number.
"""

from __future__ import annotations

from sidecar.document import model
from sidecar.document.model import AXIS_NAMES, AxisModel
from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation


def decimation_of(stated: model.Decimation) -> Decimation:
    """The decimation that a document states. One axis may be named twice; `require_agreement`
    finds that.
    """
    columns, rows, slices = (
        Axis(a.factor, a.offset, a.size, a.method)
        for a in (stated.columns, stated.rows, stated.slices)
    )
    return Decimation(columns, rows, slices, tuple(AXIS_NAMES.index(name) for name in stated.order))


def decimation_model(decimation: Decimation) -> model.Decimation:
    """A decimation as the document states it."""
    columns, rows, slices = (
        AxisModel(factor=a.factor, offset=a.offset, size=a.size, method=a.method)
        for a in decimation.axes
    )
    x, y, number = decimation.order.pick(AXIS_NAMES)
    return model.Decimation(columns=columns, rows=rows, slices=slices, order=(x, y, number))
