"""Pure: where a pixel is.

An axis maps pixels to samples, an order turns axes, a decimation is an order of three axes, a stack
maps samples to millimetres, and filters make an axis true.
"""
