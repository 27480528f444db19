"""The viewer page: one self-contained ``viewer.html`` beside the PNGs."""

from sidecar.viewer.names import VIEWER_NAME
from sidecar.viewer.page import remove_viewer, write_viewer

__all__ = ["VIEWER_NAME", "remove_viewer", "write_viewer"]
