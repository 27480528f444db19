"""Measures of mapped landmarks, and specimens brought into one frame."""
