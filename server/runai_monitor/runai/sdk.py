"""runapy's API classes without the rest of runapy: endpoints and parameter names, and nothing that talks.

Importing runapy the plain way runs all of its 1,500 modules (more than a second, 90 MiB) for the few used here. Its
API modules can be loaded alone when its packages stand in `sys.modules` without their `__init__` having run. A
contract test holds this against new versions of runapy.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

_MODULES = {
    "WorkloadsApi": "workloads_api",
    "EventsApi": "events_api",
    "PodsApi": "pods_api",
    "ProjectsApi": "projects_api",
    "NodesApi": "nodes_api",
    "TrainingsApi": "trainings_api",
    "WorkspacesApi": "workspaces_api",
    "DistributedApi": "distributed_api",
    "InferencesApi": "inferences_api",
    "DistributedInferencesApi": "distributed_inferences_api",
}

READING_APIS = ("WorkloadsApi", "EventsApi", "PodsApi", "ProjectsApi", "NodesApi")
"""What monitoring and diagnoses need; the others only when a person changes a workload."""

# Guards `sys.modules`, which is the process's own: hence beside it and not in an object.
_importing = threading.Lock()


class ApiCaller(Protocol):
    """What a runapy API class needs of its client; whatever `call_api` returns, its methods return."""

    def call_api(
        self, *, resource_path: str, method: str, query_params: Any = None, body: Any = None, **_: object
    ) -> Any:
        """Sends one request."""
        ...


def load_api(name: str) -> Callable[[ApiCaller], Any]:
    """A runapy API class by name. Takes up to 100 ms the first time: call it in a worker thread.

    Raises:
        KeyError: a class this project does not use.
        ImportError: runapy is missing or has another layout.
    """
    with _importing:
        if "runai" not in sys.modules:
            _install_bare_packages()
        module = importlib.import_module(f"runai.api.{_MODULES[name]}")
    loaded: Callable[[ApiCaller], Any] = getattr(module, name)
    return loaded


def _install_bare_packages() -> None:
    spec = importlib.util.find_spec("runai")
    if spec is None or spec.origin is None:
        raise ImportError("runapy is not installed: pip install runapy")
    root = Path(spec.origin).parent
    for name in ("", "api", "models"):
        package = types.ModuleType(f"runai.{name}" if name else "runai")
        package.__path__ = [str(root / name)]
        sys.modules[package.__name__] = package
    models = sys.modules["runai.models"]
    models.__getattr__ = _model_finder(root / "models")  # type: ignore[method-assign]
    for name in ("api", "models"):
        setattr(sys.modules["runai"], name, sys.modules[f"runai.{name}"])


def _model_finder(folder: Path) -> Callable[[str], object]:
    """Resolves `models.SomeClass` to its own module on demand: signatures of the API classes name them."""
    files = {_folded(file.stem): file.stem for file in folder.glob("*.py")}

    def find(name: str) -> object:
        stem = files.get(_folded(name))
        if stem is None:
            raise AttributeError(name)
        return getattr(importlib.import_module(f"runai.models.{stem}"), name)

    return find


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
