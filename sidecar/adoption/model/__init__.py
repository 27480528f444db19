"""Models of how images are made: placements, kernels, tone curves, and the exact lines that
programs mean.
"""
