"""Plugins that other programs find in this package and load."""
