"""Who may ask this server: only pages that it gave itself, in a browser of this machine.

The server listens on the loopback address alone, but every page in the user's browser can reach
that, and so can every other user of the machine. Three things keep them out:

- the *token*, which only the address of the page holds, keeps out other users and other pages;
- the *Host* must be this machine: the name of a hostile site that is made to lead here (DNS
  rebinding) is none;
- the *Origin*, and what the browser says of where a request comes from, must be the page itself.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from email.message import Message

#: Names of this machine. The server listens on IPv4 alone.
_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Gate:
    """The checks of a server that listens at ``port``."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def refusal(self, method: str, headers: Message) -> str | None:
        """Why a request is not answered, whatever it asks for; None where it is."""
        for name in ("Host", "Origin", "Content-Length"):
            if len(headers.get_all(name, [])) > 1:
                return f"there is more than one {name}"
        host = headers.get("Host", "")
        if host.lower() not in {f"{name}:{self.port}" for name in _HOSTS}:
            return f"Host must be 127.0.0.1:{self.port} or localhost:{self.port}"
        origin = headers.get("Origin")
        if origin is None and method == "POST":
            return "Origin is missing"
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Origin is not this server"
        site = headers.get("Sec-Fetch-Site", "same-origin")
        is_opened = headers.get("Sec-Fetch-Mode") == "navigate" and method == "GET"
        if site not in ("same-origin", "none") and not is_opened:
            return "the request comes from another site"
        if headers.get("Sec-Fetch-Dest", "empty") in ("iframe", "frame", "embed", "object"):
            return "the page is not shown within another one"
        return None

    def admits(self, token: str) -> bool:
        """Whether a token is ours. How long that takes tells nothing of it."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
