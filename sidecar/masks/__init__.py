"""Masks and regions painted on the PNGs, mapped back to the scan.

    mask = read_mask([Path("masks/")], sidecar)  # labels on the PNG grid, plane by plane
    mapped = MappedMask.on_source(mask)          # the same labels on the source grid
    WRITERS["seg.nrrd"].write(mapped, Path("masks.seg.nrrd"), None, Silent())

`sidecar.map_mask` does all of this in one call.
"""
