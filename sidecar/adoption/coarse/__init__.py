"""From thumbnails to candidates: orientation, scale, shift and lines of slices."""
