"""The report: every label on its PNG beside the original pixels around the place it was mapped to, in one page that loads nothing."""

from sidecar.report.make import Request, make_report
from sidecar.report.page import render

__all__ = ["Request", "make_report", "render"]
