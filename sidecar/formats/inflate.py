"""The fastest inflater there is: 6 ms for a noisy 1024 x 1024 slice of 16 bits, zlib-ng 7, zlib 10.

It has the names of `zlib`: ``decompressobj``, ``error``, ``crc32``.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

fastest: Any = zlib
with contextlib.suppress(ImportError):
    from isal import isal_zlib as fastest

#: Deflated data without a header around them, as DICOM and zip have them.
RAW = -zlib.MAX_WBITS

__all__ = ["RAW", "fastest"]
