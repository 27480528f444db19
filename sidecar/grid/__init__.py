"""Where a pixel is: the geometry of axes, planes and stacks. Pure.

An axis maps PNG pixels to source samples. An axis order permutes and mirrors axes. A decimation is
three axes in such an order. A stack maps source indices to millimetres. The filters make the pixels
that an axis describes.
"""
