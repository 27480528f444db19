"""Stored values ↔ modality values ↔ PNG values, and how often each PNG value occurs. Pure."""
