"""The viewer page: one self-contained ``viewer.html`` beside the PNGs."""

from sidecar.viewer.page import VIEWER_NAME, remove_viewer, write_viewer

__all__ = ["VIEWER_NAME", "remove_viewer", "write_viewer"]
