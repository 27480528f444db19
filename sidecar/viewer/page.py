"""``viewer.html``: the sidecar document and the front end in one file that loads nothing but the
PNGs beside it.

The front end is in ``web/``: ES modules whose imports all lie in that folder, joined here in the
order of `MODULES`, and Preact and htm as their authors publish them. The Content-Security-Policy
allows these scripts and styles by their hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from string import Template
from types import MappingProxyType
from typing import Any

from markupsafe import escape

from sidecar.document.model import Document, Source
from sidecar.document.writing import Needless, facts
from sidecar.errors import OutputError
from sidecar.mapping import Sidecar
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation
from sidecar.viewer.display import Counts, Display, display_of, remove_copies
from sidecar.viewer.names import VIEWER_NAME

LIBRARIES = ("preact.umd.js", "hooks.umd.js", "htm.umd.js")
LICENCES = ("LICENSE-preact", "LICENSE-htm")
#: Each after those it imports, and folders after those that they import from.
MODULES = (
    "geometry/mapping.js",
    "geometry/looks.js",
    "geometry/view.js",
    "geometry/cross.js",
    "geometry/contrast.js",
    "labels/csv.js",
    "labels/identity.js",
    "labels/curves.js",
    "labels/work.js",
    "labels/files.js",
    "keeping/served.js",
    "keeping/presence.js",
    "keeping/storage.js",
    "keeping/saving.js",
    "pixels/images.js",
    "pixels/decoder.js",
    "pixels/voxels.js",
    "stacks/landmarks.js",
    "stacks/drawing.js",
    "stacks/front.js",
    "stacks/across.js",
    "stacks/viewer.js",
    "stacks/alone.js",
    "stacks/zooms.js",
    "parts/preact.js",
    "parts/text.js",
    "parts/zoomlist.js",
    "parts/curveviews.js",
    "parts/gestures.js",
    "parts/keys.js",
    "parts/magnifier.js",
    "parts/stage.js",
    "parts/bars.js",
    "parts/planes.js",
    "parts/panel.js",
    "app.js",
)
#: Those of the list of specimens.
LIST_MODULES = ("keeping/served.js", "keeping/presence.js", "parts/preact.js", "specimens.js")
#: What a page may load, by where it comes from: its PNGs, and a server is asked too.
_FROM_DISK = {"img-src": ["'self'", "file:"], "trusted-types": ["'none'"]}
_FROM_SERVER = {
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "worker-src": ["blob:"],
    # web/pixels/decoder.js makes a worker of a text of the page itself.
    "trusted-types": ["decoder"],
}

_IMPORT = re.compile(r'^import \{[^}]*\} from "\.\.?/(?:[a-z]+/)?[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|class|async)", re.MULTILINE)
_SOURCE_MAP = re.compile(r"\n//# sourceMappingURL=.*")
_WEB = files("sidecar.viewer") / "web"


def write_viewer(
    sidecar: Sidecar, folder: Place, counts: Mapping[int, Counts] = MappingProxyType({})
) -> WritableLocation:
    """Write ``viewer.html`` beside the PNGs of ``sidecar`` in ``folder`` and return where it is; an
    old one goes first.

    ``counts``: see `sidecar.viewer.display.display_of`. A 16-bit stack also gets copies of its PNGs
    that a browser can show in full (see `sidecar.viewer.display`). DocumentError where a PNG is
    missing or not what the sidecar says, OutputError where a file cannot be written.
    """
    document, folder = sidecar.document, locate(folder)
    remove_viewer(folder, [image.name for image in document.images.files])
    html = render(document, display_of(document, folder, counts))
    page = folder / VIEWER_NAME
    page.put(html.encode())
    return page


def remove_viewer(folder: WritableLocation, names: Iterable[str]) -> None:
    """Remove the page, then its copies of the PNGs ``names``: an old page must never be beside new
    images.

    OutputError where something cannot be removed.
    """
    try:
        (folder / VIEWER_NAME).remove()
        remove_copies(folder, names)
    except OSError as error:
        raise OutputError(
            f"{VIEWER_NAME} or its images cannot be removed: {error.strerror}"
        ) from None


def render(document: Document, display: Display, served: Mapping[str, Any] | None = None) -> str:
    """The page of an export as text.

    ``served``: what a page that comes from a server is told (``web/keeping/served.js``); a page
    from disk is told nothing. What others wrote is escaped, or is JSON that cannot end its element;
    all else is our own.
    """
    return _page(MODULES, _sources(served), {**page_data(document, display), "served": served})


def render_zooms(data: dict[str, Any], served: Mapping[str, Any] | None = None) -> str:
    """The page of stacks around landmarks as text. ``data``: see ``web/stacks/zooms.js``;
    ``served``: as in `render`.
    """
    return _page(MODULES, _sources(served), {**data, "served": served})


def render_list(facts: dict[str, Any]) -> str:
    """The page of `sidecar label` that lists specimens, as text. ``facts``: see
    ``web/specimens.js``.
    """
    return _page(LIST_MODULES, _FROM_SERVER, facts)


def _sources(served: Mapping[str, Any] | None) -> Mapping[str, list[str]]:
    """What a page of MODULES may load."""
    return _FROM_DISK if served is None else _FROM_SERVER


def _page(modules: Iterable[str], sources: Mapping[str, list[str]], data: dict[str, Any]) -> str:
    """A page of these modules, which may load from ``sources``."""
    libraries = [_SOURCE_MAP.sub("", _web(f"vendor/{name}")) for name in LIBRARIES]
    program = "".join(_plain(_web(name)) for name in modules)
    style = _web("viewer.css")
    policy = {
        "default-src": ["'none'"],
        **sources,
        "script-src": [_source_hash(text) for text in (*libraries, program)],
        "style-src": [_source_hash(style)],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "require-trusted-types-for": ["'script'"],
    }
    return Template(_web("viewer.html")).substitute(
        policy=escape("; ".join(" ".join([name, *whence]) for name, whence in policy.items())),
        style=style,
        libraries="".join(f"<script>{text}</script>\n" for text in libraries),
        program=program,
        page=_script_json(data),
        licences="\n\n".join(_web(f"vendor/{name}") for name in LICENCES),
    )


def page_data(document: Document, display: Display) -> dict[str, Any]:
    """What the page of an export needs."""
    data = stack_data(document, display)
    data["document"]["source"] = source_data(document.source)
    return data


def stack_data(document: Document, display: Display) -> dict[str, Any]:
    """What a page needs of a stack of PNGs, but for its source. Image digests stay in the
    sidecar.
    """
    ranges = {"whole": display.whole, "measured": display.measured, "contrast": display.contrast}
    needless: Needless = {"source": None, "images": {"files": {"sha256": None}}}
    return {
        "document": facts(document, needless),
        "digest": _digest(document),
        **{name: {"lower": lower, "upper": upper} for name, (lower, upper) in ranges.items()},
        "split": display.split and asdict(display.split),
    }


def source_data(source: Source) -> dict[str, Any]:
    """What a page needs of a source. Names of files, which might name a patient, stay in the
    sidecar.
    """
    data: dict[str, Any] = facts(source, {"planes": {"file": None}})
    return data


def _digest(document: Document) -> str:
    """By what a browser keeps the work on a stack: all that its document says of it; of a stack
    around a landmark its tag and the landmark, which say as much, however long the scan is.
    """
    if document.zoom is None:
        stated = json.dumps(
            facts(document, {"generator": None, "warnings": None}),
            separators=(",", ":"),
            ensure_ascii=False,
        )
    else:
        stated = json.dumps([document.images.tag, facts(document.zoom)])
    return hashlib.sha256(stated.encode()).hexdigest()[:16]


def _script_json(data: dict[str, Any]) -> str:
    """JSON that nothing in it can end or change the script element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(module: str) -> str:
    """An ES module as a part of one script: all of them share one scope, and a name used twice is a
    syntax error.
    """
    return _EXPORT.sub("", _IMPORT.sub("", module))


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _web(name: str) -> str:
    """A file of the front end; line ends are \\n, as a browser has them when it takes the hash."""
    return _WEB.joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")
