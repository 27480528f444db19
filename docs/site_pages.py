"""Pages of the site that do not stand below docs/ as they are: those of the project, and the list
of public names.

MkDocs calls these functions while it builds the site. The pages of the project stay where GitHub
and others look for them; the site has copies, whose links lead to the pages of the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import sidecar

ROOT = Path(__file__).resolve().parents[1]
#: Pages of the project, and what they are called on the site.
PROJECT_PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
#: Where docs/api.md gets its list.
EVERY_NAME = "<!-- the site lists sidecar.__all__ here -->"
_LINK = re.compile(r"(\]\()((?:\.\./)*)([^)#:]*)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the project."""
    for name, page in PROJECT_PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_LINK.sub(_on_the_site, text)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links from docs/ to pages of the project, as links of the site; and every public name."""
    if EVERY_NAME in markdown:
        names = (name for name in sidecar.__all__ if name != "__version__")
        return markdown.replace(EVERY_NAME, "\n\n".join(f"::: sidecar.{name}" for name in names))
    for name, target in PROJECT_PAGES.items():
        up = "../" * page.file.src_uri.count("/")
        markdown = markdown.replace(f"]({up}../{name}", f"]({up}{target}")
    return markdown


def _on_the_site(found: re.Match[str]) -> str:
    """A link of a page that lies in the root: to a page of the project, or below docs/."""
    target = PROJECT_PAGES.get(found[3], found[3].removeprefix("docs/"))
    return f"{found[1]}{found[2]}{target}"
