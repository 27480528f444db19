"""`sidecar label`: a server of this machine that gives the page and saves its labels."""
