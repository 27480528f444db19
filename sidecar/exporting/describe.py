"""What an export writes, in words."""

from __future__ import annotations

from typing import Any


def describe_plan(planned: dict[str, Any]) -> str:
    """One line: what an export writes."""
    columns, rows, slices = planned["size"]
    axes = [planned["decimation"][name] for name in planned["order"]]
    factors = " × ".join(f"1/{axis['factor']:.6g}" if axis["factor"] != 1 else "1" for axis in axes)
    colour = " RGB" if planned["channels"] == 3 else ""
    size = f"{int(planned['bytes']) / 1e6:,.1f} MB"
    scratch = (
        f"; until then a scratch file of {planned['scratch_bytes'] / 1e6:,.1f} MB"
        if planned["scratch_bytes"]
        else ""
    )
    return (
        f"{slices} PNGs of {columns} × {rows}, {planned['bits']}-bit{colour}, scale {factors},"
        f" {size} before compression{scratch}"
    )
