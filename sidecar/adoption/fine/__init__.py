"""Registration at full resolution, and the part of an image that stays unexplained."""
