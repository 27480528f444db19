"""Read and check the YAML configs of `sidecar export`. Paths are relative to the config file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from sidecar.errors import UsageError, printable
from sidecar.exporting.faults import Faults
from sidecar.exporting.options import ExportOptions
from sidecar.formats.validation import adapter, validated
from sidecar.formats.yaml_file import read_yaml
from sidecar.storage.locate import is_url, locate
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:  # annotations are text, as in `sidecar.exporting.options`
    from pydantic import BeforeValidator, Field

_PLACES = frozenset({"source", "output", "sources"})
_DECIMATIONS = ("scale", "spacing", "fit")


def _place(value: Any) -> Any:
    if isinstance(value, str) and (not value or "\0" in value):
        raise ValueError("the name of a file or folder is expected")
    return value


@dataclass(frozen=True, kw_only=True)
class Specimen(ExportOptions):
    """One entry of ``sources`` in a config: its source, its output, and its own options."""

    source: Annotated[
        Path,
        BeforeValidator(_place),
        Field(description="DICOM folder, zip, file or DICOMDIR, relative to the config file"),
    ]
    output: Annotated[
        Path,
        BeforeValidator(_place),
        Field(description="folder for PNGs and sidecar.json, relative to the config file"),
    ]


@dataclass(frozen=True, kw_only=True)
class Config(ExportOptions):
    """A YAML config for ``sidecar export --config``: options by name, for one or many sources."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        **ExportOptions.__pydantic_config__,
        "title": "sidecar export config 1.1",
        "json_schema_extra": {"$id": "config-1.1"},
    }

    source: Annotated[
        Path | None,
        BeforeValidator(_place),
        Field(description="DICOM folder, zip, file or DICOMDIR, relative to the config file"),
    ] = None
    output: Annotated[
        Path | None,
        BeforeValidator(_place),
        Field(description="folder for PNGs and sidecar.json, relative to the config file"),
    ] = None
    sources: Annotated[
        list[Specimen],
        Field(description="several specimens; what each leaves out is taken from above"),
    ] = field(default_factory=list, metadata={"json_schema_extra": {"default": []}})


def load_config(
    path: Path,
    source: WritableLocation | None = None,
    output: WritableLocation | None = None,
    given: dict[str, Any] | None = None,
) -> list[tuple[WritableLocation, WritableLocation, ExportOptions]]:
    """(source, output, options) of every specimen of a config.

    Options ``given`` on the command line override those of the file. Raises a UsageError that names
    the key at fault, or a BatchError for faults of several sources.
    """
    raw, given = read_yaml(path), given or {}
    shared = {key: value for key, value in raw.items() if key not in _PLACES}
    entries = raw.get("sources")
    if isinstance(entries, list) and entries and all(isinstance(one, dict) for one in entries):
        validated(Config, {**raw, "sources": []}, where=f"{path.name}: ")
        if source is not None or raw.get("source") is not None:
            raise UsageError(f"{path.name} lists sources; give no other SOURCE")
        return _specimens(path, entries, shared, given)
    config: Config = validated(Config, raw, where=f"{path.name}: ")
    where = source or (_beside(path, raw["source"]) if config.source else None)
    to = output or (_beside(path, raw["output"]) if config.output else None)
    if where is None or to is None:
        raise UsageError(
            f"{path.name}: source and output are missing, and not given on the command line either"
        )
    return [(where, to, _options(f"{path.name}: ", shared, given))]


def _specimens(
    path: Path, entries: list[dict[str, Any]], shared: dict[str, Any], given: dict[str, Any]
) -> list[tuple[WritableLocation, WritableLocation, ExportOptions]]:
    """The specimens that a config lists. The faults of all specimens are raised together."""
    faults, found = Faults(), []
    for i, entry in enumerate(entries):
        own = {key: value for key, value in entry.items() if key not in _PLACES}
        where = f"{path.name}: {_name_of(entry)}"
        with faults.of(""):
            validated(Specimen, entry, where=where, prefix=f"sources.{i}.")
            options = _options(where, shared, own, given)
            places = _beside(path, entry["source"]), _beside(path, entry["output"])
            found.append((*places, options))
    faults.refuse()
    return found


def _name_of(entry: dict[str, Any]) -> str:
    """The name of an entry in messages: the last part of its source.

    The entry may be anything. The name never holds what stands before an @, such as a password.
    """
    source = entry.get("source")
    name = source.rstrip("/").rpartition("/")[2] if isinstance(source, str) else ""
    return f"{printable(name.rpartition('@')[2])}: " if name else ""


def _beside(config: Path, text: str) -> WritableLocation:
    """A place that a config names: a URL, or a path relative to the config."""
    return locate(text if is_url(text) else config.parent / text)


def _options(where: str, *layers: dict[str, Any]) -> ExportOptions:
    """The options of several layers; later layers override earlier ones.

    A layer that sets the decimation in one way removes the other ways of earlier layers.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        if any(name in layer for name in _DECIMATIONS):
            merged = {key: value for key, value in merged.items() if key not in _DECIMATIONS}
        merged |= {key.replace("_", "-"): value for key, value in layer.items()}
    options: ExportOptions = validated(ExportOptions, merged, where=where)
    return options


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the config, as kept in ``schemas/config-1.1.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **adapter(Config).json_schema(mode="validation", by_alias=True),
    }
