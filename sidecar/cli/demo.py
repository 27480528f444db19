"""`sidecar demo`"""

NAME = "demo"
HELP = "x"
EXAMPLES = "Example: sidecar demo"


def run() -> None:
    pass
