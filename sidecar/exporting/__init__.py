"""A DICOM stack → PNGs and the document: plan, make, resume."""
