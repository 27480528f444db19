"""The commands of this project by name: `nox -l` lists them, `nox -s lint` runs one.

Sessions run in the environment that nox itself is installed in, the one that
`pip install -e '.[dev]'` makes: nothing is installed anew, and the versions are those of
pyproject.toml.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "spelling", "fast"]

#: The least part of the package, in percent of lines and branches, that tests have to run: a little
#: below the 98 that `nox -s coverage` found last.
COVERAGE_FLOOR = 96


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and whether everything is formatted."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the package and of the tests."""
    session.run("mypy")


@nox.session
def contracts(session: nox.Session) -> None:
    """Folders import one way only."""
    session.run("lint-imports")


@nox.session
def spelling(session: nox.Session) -> None:
    """Spelling of code and pages."""
    session.run("codespell")


@nox.session
def fast(session: nox.Session) -> None:
    """The tests that are not marked as slow: under two minutes on an idle machine."""
    session.run("python", "-m", "pytest", "-m", "not slow", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests."""
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def tools(session: nox.Session) -> None:
    """The tests that run programs of others. Those that are Python packages are installed first,
    each in an environment of its own, which is kept.
    """
    home = os.environ.get("SIDECAR_TOOLS", str(Path(".nox", "tools").resolve()))
    session.run(
        "python", "-m", "pytest", "-m", "tools", *session.posargs, env={"SIDECAR_TOOLS": home}
    )


@nox.session
def readme(session: nox.Session) -> None:
    """The test command of the README, as it stands there: its second shell block."""
    blocks = re.findall(r"^```sh\n(.*?)^```", Path("README.md").read_text("utf-8"), re.S | re.M)
    session.run("bash", "-euo", "pipefail", "-c", blocks[1])


@nox.session
def no_compiler(session: nox.Session) -> None:
    """The first command of the README, in an environment of its own on a machine that has no
    compiler: none is on the path, and CC names one that is not there.
    """
    text = Path("README.md").read_text("utf-8")
    first = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)[0]
    folder = Path(session.create_tmp()).resolve()
    session.run("python", "-m", "venv", str(folder / "venv"))
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("bash", "env", "uname"):
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(str(shutil.which(name)))
    env = {
        "PATH": f"{folder / 'venv' / 'bin'}:{programs}",
        "CC": "/nonexistent/cc",
        "PYTHONPATH": "",
    }
    shell = ["bash", "-euo", "pipefail", "-c"]
    session.run(*shell, first, env=env, external=True)
    shutil.rmtree("sidecar-demo")
    way = session.run(*shell, "sidecar --version --verbose", env=env, external=True, silent=True)
    if "numpy" not in str(way):
        session.error(f"the kernel was built, or --version does not say that it was not: {way}")


@nox.session
def docs(session: nox.Session) -> None:
    """Write anew what the pages and schemas take from the code, then hold them against it."""
    session.run("python", "-m", "sidecar.schemas")
    for vectors in ("mapping_vectors", "reader_vectors"):
        session.run("python", f"tests/kit/{vectors}.py")
    session.run("python", "tests/test_docs.py")
    session.run("python", "-m", "pytest", "-q", "tests/test_docs.py", "tests/test_habits.py")


@nox.session
def site(session: nox.Session) -> None:
    """The site, in site/. A link that leads nowhere, or a page that no menu has, is an error."""
    session.run("mkdocs", "build", "--strict", "--quiet", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, with the lines and branches that they run. It takes longer than `tests`."""
    floor = f"--cov-fail-under={COVERAGE_FLOOR}"
    session.run("python", "-m", "pytest", "--cov", "--cov-report=term-missing:skip-covered", floor)


@nox.session
def lowest(session: nox.Session) -> None:
    """The fast tests with the oldest releases that pyproject.toml admits. It needs uv, which picks
    them, and an environment of its own.
    """
    folder = Path(session.create_tmp()).resolve()
    pins, python = folder / "lowest.txt", folder / "venv" / "bin" / "python"
    session.run("uv", "venv", "--quiet", "--clear", str(folder / "venv"), external=True)
    compiled = ("--resolution", "lowest-direct", "--extra", "all", "-o", str(pins))
    session.run("uv", "pip", "compile", "--quiet", *compiled, "pyproject.toml", external=True)
    direct = [line for line in pins.read_text("utf-8").splitlines() if _is_ours(line)]
    pins.write_text("\n".join(direct) + "\n", encoding="utf-8")
    install = ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python))
    session.run(*install, ".[test]", "-c", str(pins), external=True)
    tests = ("-m", "pytest", "-q", "-m", "not slow", *session.posargs)
    session.run(str(python), *tests, external=True)


def _is_ours(line: str) -> bool:
    """Whether a pinned release is of something that pyproject.toml names."""
    named = Path("pyproject.toml").read_text("utf-8").lower().replace("_", "-")
    return re.search(rf'"{re.escape(line.partition("==")[0])}[\[>]', named) is not None


@nox.session
def release(session: nox.Session) -> None:
    """Wheel and source archive in dist/, checked, and tried on every Python that is there. It needs
    the extra `release`.
    """
    dist = Path("dist").resolve()
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist))
    session.run("twine", "check", "--strict", *map(str, sorted(dist.iterdir())))
    (wheel,) = dist.glob("*.whl")
    session.run("check-wheel-contents", str(wheel))
    tried = []
    for version in ("3.11", "3.12", "3.13"):
        python = shutil.which(f"python{version}")
        if python is None:
            session.log(f"Python {version} is not on this machine")
            continue
        folder = Path(session.create_tmp()).resolve() / f"python{version}"
        session.run(python, "-m", "venv", "--clear", str(folder), external=True)
        bin_ = folder / "bin"
        session.run(str(bin_ / "pip"), "install", "--quiet", str(wheel), external=True)
        with session.chdir(folder):
            session.run(str(bin_ / "sidecar"), "demo", "tour", external=True, silent=True)
        tried.append((version, bin_ / "python"))
        session.log(f"Python {version}: installed from the wheel alone, and the demo went well")
    bill = ("cyclonedx-py", "environment", "--output-reproducible", "-o", str(dist / "sbom.json"))
    session.run(*bill, str(tried[-1][1]))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Files that nobody would write on purpose, fed to everything that reads files: by atheris
    where it is installed, by Hypothesis otherwise. `nox -s fuzz -- --minutes 5`.
    """
    session.run("python", "-m", "fuzz", *session.posargs)
