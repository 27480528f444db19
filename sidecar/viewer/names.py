"""What the page and its images are called."""

from __future__ import annotations

#: The folder in which `sidecar view` puts what browsers can show of a 16-bit stack.
VIEWER_IMAGES = "viewer_images"


VIEWER_NAME = "viewer.html"
#: The page of all stacks around landmarks that one `sidecar zoom` made.
ZOOMS_PAGE = "zooms.html"
