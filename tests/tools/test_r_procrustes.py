"""Superimposed groups beside those of R's package shapes (`procGPA`), whose author wrote the book
on them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from kit.landmark_tables import write_landmarks
from kit.needs import installed, missing

import sidecar
from sidecar.morphometrics.align import rotation_onto

pytestmark = [pytest.mark.tools, pytest.mark.slow]

#: Reads p × 3 × n numbers, and prints centroid sizes, distances from the mean, the mean, and the
#: superimposed specimens.
PROGRAM = """
options(rgl.useNULL = TRUE)
suppressPackageStartupMessages(suppressWarnings(library(shapes)))
args <- commandArgs(TRUE)
A <- array(scan(args[1], quiet = TRUE), as.integer(args[2:4]))
found <- procGPA(A, scale = args[5] == "yes", reflect = FALSE, tol1 = 1e-14, tol2 = 1e-14,
                 pcaoutput = FALSE)
say <- function(x) cat(format(as.vector(x), digits = 17), "\\n")
say(found$size); say(found$rho); say(found$mshape); say(found$rotated)
"""


def in_r(places: np.ndarray, scale: bool, folder: Path) -> list[np.ndarray]:
    (folder / "gpa.R").write_text(PROGRAM, encoding="utf-8")
    np.savetxt(folder / "places.txt", places.transpose(0, 2, 1).reshape(-1), fmt="%.17g")
    n, p, _ = places.shape
    command = [
        *(installed("Rscript"), "--vanilla", "gpa.R", "places.txt"),
        *(str(p), "3", str(n), "yes" if scale else "no"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "there is no package called" in done.stderr:
        missing("VALIDATORS", "R has no package shapes (Debian: r-cran-shapes)")
    assert done.returncode == 0, done.stderr
    return [np.array(line.split(), dtype=float) for line in done.stdout.splitlines()]


@pytest.fixture
def places() -> np.ndarray:
    """Nine specimens of eight landmarks, of many sizes, as unlike as species are."""
    random = np.random.default_rng(20)
    shape = random.uniform(-10, 10, (8, 3))
    own = shape + random.normal(scale=1.0, size=(9, 8, 3))
    own *= random.uniform(0.6, 1.6, 9)[:, None, None]
    turns = np.linalg.qr(random.normal(size=(9, 3, 3)))[0]
    turns *= np.sign(np.linalg.det(turns))[:, None, None]
    return np.asarray(np.einsum("nij,npj->npi", turns, own) + random.uniform(50, 90, (9, 1, 3)))


@pytest.mark.parametrize("scale", [False, True])
def test_a_group_is_superimposed_as_procgpa_does(
    places: np.ndarray, scale: bool, tmp_path: Path
) -> None:
    size, rho, mean, rotated = in_r(places, scale, tmp_path)
    files = [
        write_landmarks(
            tmp_path / f"s{i}.csv", {f"p{j}": place for j, place in enumerate(own)}, scan=f"1.{i}"
        )
        for i, own in enumerate(places)
    ]
    ours = sidecar.align_group(files, similarity=scale)
    np.testing.assert_allclose(ours.centroid_size_mm, size, rtol=1e-12)
    np.testing.assert_allclose(ours.shape_distance_rad, rho, rtol=1e-5)
    shape = mean.reshape(3, 8).T
    factor = np.linalg.norm(ours.mean) / np.linalg.norm(shape)
    assert scale or factor == pytest.approx(1, abs=1e-9)
    turned = factor * shape @ rotation_onto(shape, ours.mean).T
    np.testing.assert_allclose(turned, ours.mean, atol=1e-5 * np.abs(ours.mean).max())
    own = rotated.reshape(9, 3, 8).transpose(0, 2, 1)
    residuals = factor * np.linalg.norm(own - shape, axis=2)
    np.testing.assert_allclose(residuals, ours.residual_mm, atol=1e-5 * np.abs(ours.mean).max())
