"""Number of slices, their order and their places as SimpleITK or highdicom say, on every real scan
and on the files that pydicom is tested with; or a written reason why not. Of frames without places
the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.series import Series, find_series
from sidecar.grid.stack import Stack

SimpleITK = pytest.importorskip("SimpleITK")
highdicom = pytest.importorskip("highdicom")

#: mm, and parts of a cosine: SimpleITK makes rounded cosines orthonormal before it uses them.
SAME = 1e-3


@dataclass(frozen=True)
class Planes:
    """Planes in slice order. ``spacing``: mm between rows, then between columns; ``orientations``:
    six cosines of each.
    """

    size: tuple[int, int]
    spacing: tuple[float, float]
    positions: Any
    orientations: Any

    @classmethod
    def of(cls, stack: Stack) -> Planes:
        size = (stack.columns, stack.rows)
        return cls(size, stack.pixel_spacing, stack.positions, stack.orientations)

    def __getitem__(self, order: Any) -> Planes:
        return Planes(self.size, self.spacing, self.positions[order], self.orientations[order])


def folders(root: Path) -> list[Path]:
    """Every folder below ``root`` that holds files itself."""
    return sorted({path.parent for path in root.rglob("*") if path.is_file()})


def stacks_in(folder: Path) -> list[Series]:
    """The stacks of the files in a folder, not of those in folders below it."""
    return find_series(frame for frame in scan(folder).frames if not frame.folder)


def linked(files: list[Path], folder: Path) -> Path:
    """A folder with links to files."""
    folder.mkdir(parents=True)
    for file in files:
        (folder / file.name).symlink_to(file)
    return folder


def series_by_simpleitk(folder: Path) -> list[list[str]]:
    """The files of each series in a folder, in slice order."""
    reader = SimpleITK.ImageSeriesReader
    return [
        [Path(name).name for name in reader.GetGDCMSeriesFileNames(str(folder), uid)]
        for uid in reader.GetGDCMSeriesIDs(str(folder))
    ]


def planes_by_simpleitk(path: Path) -> Planes:
    """The planes of one file, from what SimpleITK makes of its header."""
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    (columns, rows, slices), (x, y, z) = reader.GetSize(), reader.GetSpacing()
    axes = np.reshape(reader.GetDirection(), (3, 3))
    steps = np.outer(np.arange(slices) * z, axes[:, 2])
    cosines = np.tile(axes[:, :2].T.ravel(), (slices, 1))
    return Planes((columns, rows), (y, x), np.array(reader.GetOrigin()) + steps, cosines)


def planes_by_highdicom(path: Path) -> Planes | None:
    """The planes of one multi-frame file, in order; None where highdicom sees no volume."""
    found = highdicom.imread(path).get_volume_geometry()
    if found is None:
        return None
    slices, rows, columns = found.spatial_shape
    along, down, right = (found.affine[:3, i] for i in range(3))
    positions = found.affine[:3, 3] + np.outer(np.arange(slices), along)
    if along @ np.cross(right, down) < 0:
        positions = positions[::-1]
    spacing = float(np.linalg.norm(down)), float(np.linalg.norm(right))
    cosines = np.concatenate([right / spacing[1], down / spacing[0]])
    return Planes((columns, rows), spacing, positions, np.tile(cosines, (slices, 1)))


def differs(ours: Planes, theirs: Planes) -> str | None:
    """In what planes differ."""
    if ours.size != theirs.size or len(ours.positions) != len(theirs.positions):
        return "number"
    pairs = [
        ("pixel spacing", ours.spacing, theirs.spacing),
        ("orientation", ours.orientations, theirs.orientations),
        ("places", ours.positions, theirs.positions),
    ]
    for name, one, other in pairs:
        if not np.allclose(one, other, rtol=SAME, atol=SAME):
            return name
    return None


def one_file(folder: Path, series: Series) -> str | None:
    """In what both programs differ from the stack in a multi-frame file."""
    path, simple = folder / series.files[0], planes_by_simpleitk(folder / series.files[0])
    if series.stack is None:
        return None if len(simple.positions) == len(series.frames) else "number"
    ours, found = Planes.of(series.stack), "number"
    if len(simple.positions) == len(ours.positions):  # SimpleITK keeps the order of frames
        first = differs(ours, simple[[frame.frame for frame in series.frames]])
        if first is None:
            return None
        found = first
    try:
        planes = planes_by_highdicom(path)
    except Exception:  # noqa: BLE001  whatever it is: it does not open this file
        return found
    return found if planes is None else differs(ours, planes)


def many_files(
    folder: Path, series: Series, in_folder: list[list[str]], alone: list[list[str]]
) -> str | None:
    """In what SimpleITK differs from a stack of one file each. ``in_folder, alone``: the series it
    makes of all files of the folder, and of the files of the stack.
    """
    assert series.stack is not None
    files = [frame.file for frame in series.frames]
    ours = Planes.of(series.stack)
    for k, file in enumerate(files):
        if (found := differs(ours[[k]], planes_by_simpleitk(folder / file))) is not None:
            return found
    if [files] != alone:
        return "order"
    whole = [len(names) for names in in_folder if files[0] in names]
    return None if whole == [len(files)] else "number"


def is_readable(file: Path) -> bool:
    """Whether SimpleITK opens a file; it lists no series of a folder with one that it does not."""
    try:
        planes_by_simpleitk(file)
    except RuntimeError:
        return False
    return True


def disagreements(root: Path, links: Path) -> dict[str, str]:
    """In what other programs see the stacks of a folder otherwise, by its name."""
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    found: dict[str, str] = {}
    for n, folder in enumerate(folders(root)):
        stacks = stacks_in(folder)
        compared = [
            series
            for series in stacks
            if series.problem is None and (series.stack is not None or series.common.multiframe)
        ]
        if not compared:
            continue
        uids = {series.common.series_instance_uid for series in compared}
        beside = [s for s in stacks if s.common.series_instance_uid in uids]
        files = {folder / file for series in beside for file in series.files}
        readable = {file for file in files if is_readable(file)}
        in_folder = series_by_simpleitk(linked(sorted(readable), links / f"{n}"))
        for series in compared:
            own = [folder / file for file in series.files]
            if not readable.issuperset(own):
                what: str | None = "unreadable"
            elif series.common.multiframe:
                what = one_file(folder, series)
            else:
                alone = series_by_simpleitk(linked(own, links / f"{n}-{series.number}"))
                what = many_files(folder, series, in_folder, alone)
            if what is not None:
                name = folder.relative_to(root).as_posix()
                assert found.setdefault(name, what) == what, "one reason for each folder"
    return found


SEVERAL_ORIENTATIONS = (
    "planes of several orientations in one series, which SimpleITK makes one stack"
)
SEVERAL_VOLUMES = (
    "several volumes in one object: SimpleITK makes one stack of them, highdicom none;"
    " test_real_scans holds them against frames taken one by one"
)
#: Folder: in what others differ, and why they are not followed.
REAL_SCANS = {
    "ct_phantom_classic_vs_multiframe": (
        "number",
        "the same slices lie there twice under one series UID, as seven files and in one file:"
        " SimpleITK counts eight files as eight slices",
    ),
    "ct_philips_plain/S21570/S4010": (
        "number",
        "a scout and two colour pages of a report in one series, which SimpleITK makes one stack",
    ),
    "ct_toshiba_4d_tiny": (
        "unreadable",
        "whoever removed names made another number of the UID of the CT class too, and GDCM opens"
        " no class that it does not know",
    ),
    "ct_transfer_syntaxes": (
        "number",
        "one slice in many encodings under one series UID, which SimpleITK makes one stack",
    ),
    "mr_localizers_pydicom/98892003/MR2": ("number", SEVERAL_ORIENTATIONS),
    "mr_localizers_pydicom/98892003/MR700": ("number", SEVERAL_ORIENTATIONS),
    "mr_philips_enhanced_4d/dti": ("number", SEVERAL_VOLUMES),
    "mr_philips_enhanced_4d/fmri": ("number", SEVERAL_VOLUMES),
    "mr_philips_two_orientations": (
        "number",
        "two scouts with other pixel spacings in one series, which SimpleITK makes one stack",
    ),
    "mr_scout_3plane_multiframe": ("number", SEVERAL_ORIENTATIONS),
}
FILES_OF_PYDICOM = {
    "test_files": (
        "unreadable",
        "a dose of one frame has no Grid Frame Offset Vector, and GDCM opens no dose without",
    ),
    "test_files/dicomdirtests/98892001/CT2N": ("number", SEVERAL_ORIENTATIONS),
    "test_files/dicomdirtests/98892003/MR2": ("number", SEVERAL_ORIENTATIONS),
    "test_files/dicomdirtests/98892003/MR700": ("number", SEVERAL_ORIENTATIONS),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_real_scans_are_as_other_programs_say_or_it_is_known_why_not(
    shared_data: Path, tmp_path: Path
) -> None:
    known = {folder: what for folder, (what, _) in REAL_SCANS.items()}
    assert disagreements(shared_data, tmp_path) == known


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_files_of_pydicom_are_as_other_programs_say_or_it_is_known_why_not(tmp_path: Path) -> None:
    """Those that are installed: nothing is fetched."""
    known = {folder: what for folder, (what, _) in FILES_OF_PYDICOM.items()}
    assert disagreements(Path(pydicom.__file__).parent / "data", tmp_path) == known
