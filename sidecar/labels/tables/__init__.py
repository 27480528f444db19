"""Tables of labels: columns of text, read and carried."""
