"""The house rules that a machine can hold: who imports whom, and how big a thing may grow."""

from __future__ import annotations

import ast
import logging
import os
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "server" / "runai_monitor"
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_data_flows_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers, surfaces and vendors: a new module has to find its place before it is merged."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "server"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "server")]))
    try:
        assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0
    finally:
        # It configures logging and thereby switches off every logger there is, for the tests after this one too.
        for logger in logging.Logger.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                logger.disabled = False


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_noun_that_fits_the_head(path: Path) -> None:
    """Past 500 lines a module has become two; the second deserves its own name."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """A body of more than 60 lines hides a step that has a name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert not long
