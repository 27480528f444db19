"""Storage of files: folders, zips and object stores, files that are written whole or not at all,
and leases.
"""
