"""The viewer page: one self-contained ``viewer.html`` beside the PNGs."""
