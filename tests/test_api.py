"""The names of the package are its functions, whatever was imported before."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import sidecar


def test_no_module_shadows_a_public_function() -> None:
    for module in pkgutil.walk_packages(sidecar.__path__, "sidecar."):
        if module.name != "sidecar.__main__":
            importlib.import_module(module.name)
    for name in sidecar.__all__:
        assert inspect.isfunction(getattr(sidecar, name)) or inspect.isclass(getattr(sidecar, name))
