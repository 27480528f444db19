"""True DICOM files whose every voxel has a known place: the truth of the tests, by construction.

    phantom = write(Spec(orientation="oblique", tilt_degrees=12), tmp_path)
    phantom.markers[0].source           where the marker was drawn: (column, row, slice)
    phantom.markers[0].patient          where that is: mm LPS, by the equation of PS3.3 C.7.6.2.1.1
    centroid(png, near=..., radius=...) where it is found in an image

Nothing here imports the package under test. A `Spec` says what to write, `plan` works out the truth
without touching a file, and the writers only carry it out. One seed, one scan: two specs with the
same seed, grid and markers are the same scan in two encodings, with the same UIDs.
"""

from .bulk import write_flat_series, write_sparse_fragments, write_sparse_multiframe
from .headers import GARBAGE_ICON, raw_element
from .identity import IDENTITY, SECRETS
from .measure import centroid, centroid3d
from .spec import Spec
from .truth import Marker, Phantom, Plane, plan
from .writer import write, write_values

__all__ = [
    "GARBAGE_ICON",
    "IDENTITY",
    "SECRETS",
    "Marker",
    "Phantom",
    "Plane",
    "Spec",
    "centroid",
    "centroid3d",
    "plan",
    "raw_element",
    "write",
    "write_flat_series",
    "write_sparse_fragments",
    "write_sparse_multiframe",
    "write_values",
]
