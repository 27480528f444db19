"""What pydicom finds in the files of a phantom."""

from __future__ import annotations

import numpy as np
import pydicom
import pydicom.uid
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from .truth import Phantom


def frames(phantom: Phantom, volume: int = 0) -> list[tuple[Dataset, Dataset, NDArray[np.int64]]]:
    """Per plane: the dataset, the dataset that holds its position, and the stored pixels, all as
    pydicom finds them.
    """
    found = []
    for plane in phantom.volumes[volume]:
        dataset: Dataset = pydicom.dcmread(phantom.folder / plane.file)
        if plane.frame_number is None:
            found.append((dataset, dataset, pixel_array(dataset)))
        else:
            frame = plane.frame_number - 1
            groups = Dataset()
            for group in (
                dataset.SharedFunctionalGroupsSequence[0],
                dataset.PerFrameFunctionalGroupsSequence[frame],
            ):
                for element in group:
                    groups.update(element.value[0])
            found.append((dataset, groups, pixel_array(dataset, index=frame)))
    return found
