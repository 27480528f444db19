"""Registration at full resolution, and what of an image stays unexplained."""
