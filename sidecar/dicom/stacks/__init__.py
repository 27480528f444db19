"""Frames → stacks: grouped, freed of copies, put in order, and told apart in words."""
