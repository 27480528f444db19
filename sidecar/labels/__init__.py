"""Read labels on PNGs, identify their images, map them to the scan, and write them."""
