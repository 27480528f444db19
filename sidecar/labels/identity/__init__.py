"""Which PNG of which export an image of a label file is: clues, what contradicts them, and the
resolver.
"""
