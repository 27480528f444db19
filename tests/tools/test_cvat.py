"""CVAT's own command line and SDK take the labels that `prepare` writes. CVAT itself is not run: it
is a server of many containers.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from kit.environments import python_of

import sidecar
from sidecar.labels.prepare.cvat import LONGEST

pytestmark = [pytest.mark.tools, pytest.mark.slow]

NAMES = ["bregma", 'first "dot"', "2nd; of <two> & last'", "μ, }", "x" * LONGEST]
#: What it would send to a server, from the file that its option --labels names.
REQUEST = """
import json, sys
from cvat_cli._internal.parsers import parse_label_arg
from cvat_sdk import models
from cvat_sdk.api_client import ApiClient, Configuration
labels = [models.PatchedLabelRequest(**label) for label in parse_label_arg(sys.argv[1])]
task = models.TaskWriteRequest(name="skull", labels=labels)
print(json.dumps(ApiClient(Configuration(host="http://127.0.0.1")).sanitize_for_serialization(task)))
"""


def request(path: Path) -> subprocess.CompletedProcess[str]:
    command = [python_of("cvat"), "-c", REQUEST, path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_its_command_line_takes_the_labels(marked: Path, tmp_path: Path) -> None:
    (path,) = sidecar.prepare("cvat", marked, NAMES, tmp_path)
    done = request(path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["labels"] == [
        {"name": name, "type": "points", "attributes": []} for name in NAMES
    ]


def test_longer_names_than_we_write_it_refuses(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    label = {"name": "x" * (LONGEST + 1), "type": "points", "attributes": []}
    path.write_text(json.dumps([label]), encoding="utf-8")
    assert "length must be less than or equal" in request(path).stderr
