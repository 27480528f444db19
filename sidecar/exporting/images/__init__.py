"""From source slices to the pixels of PNGs and of the companion volume."""
