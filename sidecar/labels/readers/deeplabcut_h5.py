"""Labels of DeepLabCut in the `.h5` that it writes beside `CollectedData_<scorer>.csv`.

pandas writes this file as a frame of the kind "fixed": names are texts of fixed length, and
positions are numbers. Nothing else is read, because pandas and PyTables store some objects pickled,
and a pickled object can run a program when it is opened. So datasets of objects, links to other
files, virtual datasets, and the kind "table" (its column names are pickled) are refused. Source:
pandas, io/pytables.py (BlockManagerFixed); seen with pandas 2.2 and 3.1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.deeplabcut import labels_of_records
from sidecar.labels.text import read_bytes

_MAGIC = b"\x89HDF\r\n\x1a\n"
_GROUP = "df_with_missing"
#: Levels of the column names. Only multi-animal projects have individuals.
_LEVELS = {
    3: ("scorer", "bodyparts", "coords"),
    4: ("scorer", "individuals", "bodyparts", "coords"),
}
#: Most blocks in a frame. Columns of one type make a block.
_MOST_BLOCKS = 8
#: Most bytes of texts and numbers for each byte of the file. pandas writes less than one.
_MOST_TIMES = 4
#: Errors of h5py for damaged files. The last two are for sizes and places beyond any file.
_DAMAGED = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    OverflowError, MemoryError,
)  # fmt: skip
_USE_CSV = "use CollectedData_….csv, which DeepLabCut writes beside it"


def recognises(path: Path, head: bytes) -> bool:
    """An HDF5 file with the name that DeepLabCut gives to the group of its labels."""
    return head.startswith(_MAGIC) and _GROUP.encode() in head


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """All labelled points. Raises LabelError, also for predictions."""
    h5py = _h5py()
    data = io.BytesIO(read_bytes(path))
    try:
        with h5py.File(data, "r") as file:
            frame = _member(h5py, file, _GROUP, h5py.Group, path)
            _refuse_packed(h5py, frame, data.getbuffer().nbytes, path)
            images, columns, values = _table(h5py, frame, path)
    except _DAMAGED as error:
        if isinstance(error, LabelError):
            raise
        raise LabelError(f"is damaged, or is not a file of DeepLabCut; {_USE_CSV}", path) from error
    levels = {
        name: [name, *(column[n] for column in columns)]
        for n, name in enumerate(_LEVELS[len(columns[0])])
    }
    records = [
        (n, [image, *("" if np.isnan(v) else repr(v) for v in row)])
        for n, (image, row) in enumerate(zip(images, values.tolist(), strict=True), 1)
    ]
    return labels_of_records(levels, records, path, options)


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("Reading DeepLabCut's .h5", "deeplabcut") from error
    return h5py


_Columns = list[tuple[str, ...]]


def _refuse_packed(h5py: ModuleType, frame: Any, size: int, path: Path) -> None:
    """LabelError where a file states more content than fits its ``size`` in bytes.

    pandas does not compress these files, and compressed content may be endless.
    """
    members = [frame[name] for name in frame if _is_own(h5py, frame, name)]
    unpacked = sum(m.size * m.dtype.itemsize for m in members if isinstance(m, h5py.Dataset))
    if unpacked > _MOST_TIMES * size:
        raise LabelError(
            f"has {size} bytes, but would unpack to {unpacked} bytes, which is too many;"
            f" {_USE_CSV}",
            path,
        )


def _table(
    h5py: ModuleType, frame: Any, path: Path
) -> tuple[list[str], _Columns, NDArray[np.float64]]:
    """Images, names of the columns, and (images, columns) positions; NaN where there is none."""
    if "table" in frame:
        raise LabelError(
            f'is a frame of the kind "table". Its names are Python objects, and these are not'
            f" opened; {_USE_CSV}",
            path,
        )
    images = ["/".join(parts) for parts in _index(h5py, frame, "axis1", path)]
    columns: _Columns = []
    blocks = []
    for n in range(_MOST_BLOCKS):
        if f"block{n}_values" not in frame:
            break
        items = list(_index(h5py, frame, f"block{n}_items", path))
        values = _array(h5py, frame, f"block{n}_values", "fiu", path).astype(np.float64)
        if values.shape != (len(images), len(items)):
            raise ValueError("names and positions differ in number")
        columns += items
        blocks.append(values)
    if not columns or {len(column) for column in columns} - set(_LEVELS):
        raise ValueError("no columns of DeepLabCut")
    return images, columns, np.concatenate(blocks, axis=1)


def _index(h5py: ModuleType, frame: Any, name: str, path: Path) -> Iterator[tuple[str, ...]]:
    """The names along one axis, of one level or of several.

    Several levels are stored as the different texts of each level, and their numbers.
    """
    if name in frame:
        yield from ((text,) for text in _texts(h5py, frame, name, path))
        return
    levels: list[list[str]] = []
    while f"{name}_level{len(levels)}" in frame:
        texts = _texts(h5py, frame, f"{name}_level{len(levels)}", path)
        codes = _array(h5py, frame, f"{name}_label{len(levels)}", "iu", path)
        if codes.size and not 0 <= int(codes.min()) <= int(codes.max()) < len(texts):
            raise ValueError("a name is missing")
        levels.append([texts[code] for code in codes.tolist()])
    yield from zip(*levels, strict=True)


def _texts(h5py: ModuleType, frame: Any, name: str, path: Path) -> list[str]:
    return [text.decode() for text in _array(h5py, frame, name, "S", path).tolist()]


def _array(h5py: ModuleType, frame: Any, name: str, kinds: str, path: Path) -> NDArray[Any]:
    """A whole dataset of numbers or texts."""
    data = _member(h5py, frame, name, h5py.Dataset, path)
    if data.dtype.kind not in kinds:
        raise LabelError(
            f"holds {name} in a form that is neither numbers nor texts, so it is not opened;"
            f" {_USE_CSV}",
            path,
        )
    if data.is_virtual or data.external:
        raise LabelError(f"holds {name} in another file; {_USE_CSV}", path)
    array: NDArray[Any] = data[()]
    return array


def _member(h5py: ModuleType, group: Any, name: str, kind: Any, path: Path) -> Any:
    """A group or dataset in this file. LabelError where it is missing or in another file."""
    if not _is_own(h5py, group, name):
        raise LabelError(f"does not contain {name}, or only a link to it; {_USE_CSV}", path)
    found = group[name]
    if not isinstance(found, kind):
        raise TypeError(name)
    return found


def _is_own(h5py: ModuleType, group: Any, name: str) -> bool:
    """Whether a member lies in this file, and not in another file behind a link."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


READER = Reader("deeplabcut-h5", "DeepLabCut", "center", recognises, read)
