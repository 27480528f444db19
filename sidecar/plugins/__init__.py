"""Parts of other programs: what they find of this package, and load."""
