"""Identify the PNG and the export of each image in a label file: evidence, contradictions, and the
resolver.
"""
