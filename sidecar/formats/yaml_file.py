"""YAML files, read safely."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from sidecar.errors import UsageError

#: Most bytes of a config.
MAX_BYTES = 4 * 1024 * 1024


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path.name} is too large for a config")
        raw = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(
            f"{path.name} is not UTF-8 text; save it again with that encoding"
        ) from None
    except YamlError as error:
        raise UsageError(f"{path.name} is not valid YAML: {error}") from None
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise UsageError(f"{path.name} must be a mapping of option names to values")
    return raw


class YamlError(Exception):
    """The text is not YAML, or has features that are not allowed here. The message is one line."""


def parse_yaml(text: str) -> Any:
    """The value of YAML text.

    YamlError for text that is not YAML, for aliases, for tags, and for keys that are given twice.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: an impossible date
        raise YamlError(" ".join(str(error).split())[:300]) from None


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that also refuses aliases, tags, and a key given twice.

    With aliases a small file can grow without end. Tags make other values of a text than it shows.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) not in (None, "!"):
            raise yaml.YAMLError("tags (!!name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, count in keys.items():
            if count > 1:
                raise yaml.YAMLError(f"the key {key!r} is given twice")
        return super().construct_mapping(node, deep)
