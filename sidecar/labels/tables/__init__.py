"""Tables of labels: read columns of text, and copy them to the output."""
