"""The report: every label on its PNG beside the original pixels around the place it was mapped to,
in one page that loads nothing.
"""

from sidecar.reports.make import Request, make_report
from sidecar.reports.page import render

__all__ = ["Request", "make_report", "render"]
