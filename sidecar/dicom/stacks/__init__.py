"""Frames → stacks: grouped, without copies, in order, and with the differences between stacks in
words.
"""
