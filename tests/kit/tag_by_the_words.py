"""A second implementation of tags, by the words of docs/sidecar-format.md alone: nothing of the
package, and no JSON writer.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

AXES = ("columns", "rows", "slices")


def number(value: float) -> str:
    """The shortest decimals that read back the same: plain from 0.0001 up to 10^16, else with an
    exponent.
    """
    if value == 0:
        return "0.0"
    mantissa, power = shortest(value)
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if not -4 <= power < 16:
        point = digits[:1] + ("." + digits[1:] if digits[1:] else "")
        return f"{sign}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole = digits[: power + 1].ljust(power + 1, "0")
    return f"{sign}{whole}.{digits[power + 1 :] or '0'}"


def shortest(value: float) -> tuple[str, int]:
    """Its decimals, one of them before the point, and the power of ten."""
    for decimals in range(17):
        mantissa, power = f"{value:.{decimals}e}".split("e")
        for step in (0, -1, 1):  # beside a power of two the nearest decimals may not read back
            near = Decimal(mantissa) + step * Decimal(1).scaleb(-decimals)
            if float(f"{near}e{power}") == value:
                return str(near), int(power)
    raise AssertionError(value)


def text(value: str) -> str:
    named = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}
    letters = []
    for c in value:
        code = ord(c)
        if c in named:
            letters.append("\\" + named[c])
        elif " " <= c <= "~":
            letters.append(c)
        elif code <= 0xFFFF:
            letters.append(f"\\u{code:04x}")
        else:
            high, low = divmod(code - 0x10000, 0x400)
            letters.append(f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}")
    return f'"{"".join(letters)}"'


def tag_by_the_words(document: dict[str, Any]) -> tuple[str, str]:
    """The JSON and the tag of a document."""
    axes = document["decimation"]
    parts = [
        f'"{name}":{{"factor":{number(axes[name]["factor"])},"offset":{number(axes[name]["offset"])}'
        f',"size":{number(axes[name]["size"])}}}'
        for name in AXES
    ]
    order = ",".join(text(name) for name in axes.get("order", AXES))
    planes = []
    for plane in document["source"]["planes"]:
        frame = plane.get("frame_number")
        frame_number = "null" if frame is None else number(frame)
        planes.append(
            f'{{"frame_number":{frame_number},"sop_instance_uid":{text(plane["sop_instance_uid"])}}}'
        )
    whole = (
        f'{{"decimation":{{{parts[0]},"order":[{order}],{parts[1]},{parts[2]}}},'
        f'"source":{{"planes":[{",".join(planes)}],'
        f'"series_instance_uid":{text(document["source"]["series_instance_uid"])}}}}}'
    )
    rest = 0
    for byte in hashlib.sha256(whole.encode("ascii")).digest():
        rest = (rest * 256 + byte) % 20**6
    places = [20**5, 20**4, 20**3, 20**2, 20, 1]
    return whole, "".join("bcdfghjklmnpqrstvwxz"[rest // place % 20] for place in places)
