"""The notebook runs as it stands, and shows what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "landmarks.ipynb"


def outputs(cells: list[Any]) -> list[dict[str, Any]]:
    return [output for cell in cells for output in cell.get("outputs", [])]


def printed(cells: list[Any]) -> list[str]:
    """What was printed, which no version of pandas or matplotlib changes."""
    return [output["text"] for output in outputs(cells) if output["output_type"] == "stream"]


@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")  # of zmq, on Windows
def test_the_notebook_runs(tmp_path: Path) -> None:
    needed = ("nbclient", "ipykernel", "pandas", "matplotlib", "SimpleITK")
    for package in needed:
        pytest.importorskip(package, reason=f"the notebook is run with {', '.join(needed)}")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    shown = printed(notebook.cells)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    assert printed(notebook.cells) == shown
    kinds = [kind for output in outputs(notebook.cells) for kind in output.get("data", {})]
    assert {"text/html", "image/png"} <= set(kinds), "the table and the figure"
    assert all(output["output_type"] != "error" for output in outputs(notebook.cells))
