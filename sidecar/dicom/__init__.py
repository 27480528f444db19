"""DICOM files → frames → stacks of slices, and their pixels."""
