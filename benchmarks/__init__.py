"""How fast, in how much memory: measurements that a person runs, never a test. ``python -m
benchmarks -h`` from the root of the repository.

Every part writes its own input, measures, and leaves its figures in ``results.json`` of the work
folder; the report is made of that file.
"""
