"""The one way in: a spec and a folder → files, and the truth about them."""

from __future__ import annotations

from pathlib import Path

from .classic import write_slices
from .enhanced import write_enhanced
from .junk import write_junk
from .spec import Spec
from .truth import Phantom, plan


def write(spec: Spec, folder: Path) -> Phantom:
    """Write the phantom into the folder, made if need be, and tell what is where.

    Call it twice, with two seeds, for two series in one folder. Raises FileExistsError rather than
    overwrite an image, ValueError where no marker fits the grid or the transfer syntax cannot hold
    the pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    phantom = plan(spec, folder)
    if spec.layout == "enhanced":
        write_enhanced(phantom)
    else:
        write_slices(phantom)
    if spec.junk:
        write_junk(phantom)
    return phantom
