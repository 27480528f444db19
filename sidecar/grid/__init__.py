"""Pure: where a pixel is.

Axes, their order, decimations, stacks of planes, and the filters that make an axis true.
"""
