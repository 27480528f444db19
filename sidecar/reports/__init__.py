"""The report: one page that shows every label on its PNG, beside the original pixels around the
mapped place.

The page loads nothing from elsewhere.
"""

from sidecar.reports.make import Request, make_report
from sidecar.reports.page import render

__all__ = ["Request", "make_report", "render"]
