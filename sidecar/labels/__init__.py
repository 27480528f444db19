"""Labels on PNGs: read, identified, mapped, written."""
