"""Files → headers → frames: what the header of each frame says, as plain values."""
