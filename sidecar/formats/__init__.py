"""PNG, TIFF, volume and YAML files, as far as they do not depend on the meaning of their
contents.
"""
