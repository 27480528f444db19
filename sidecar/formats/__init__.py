"""File formats by themselves, without their meaning here: PNG, TIFF, volumes, YAML."""
