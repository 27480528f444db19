"""Pure: stored values ↔ modality values ↔ PNG values, and how often they occur."""
