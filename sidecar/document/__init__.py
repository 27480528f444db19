"""The sidecar document: its model, and how one is built from source, axes and images."""
