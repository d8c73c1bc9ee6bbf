"""Machine code on disk is used again only where nothing that it was made from has changed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

OUTER = """
from models.compiled import compiled
from kernel_below import FACTOR, below

@compiled
def outer(x):
    return FACTOR * below(x)
"""
BELOW = """
from models.compiled import compiled

FACTOR = {factor}

@compiled
def below(x):
    return x + {more}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two files of kernels, one above the other."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of a file within one second
    yield tmp_path
    for name in ("kernel_outer", "kernel_below"):
        sys.modules.pop(name, None)


def loaded(folder: Path, *, more: float = 1.0, factor: float = 2.0) -> ModuleType:
    """As a process that starts now would have it: nothing in memory, what was compiled before on disk."""
    (folder / "kernel_outer.py").write_text(OUTER)
    (folder / "kernel_below.py").write_text(BELOW.format(more=more, factor=factor))
    for name in ("kernel_outer", "kernel_below"):
        sys.modules.pop(name, None)
    return importlib.import_module("kernel_outer")


def from_disk(module: ModuleType) -> int:
    return sum(module.outer.stats.cache_hits.values())


def test_a_kernel_whose_callee_has_changed_is_compiled_again(folder: Path) -> None:
    assert loaded(folder).outer(1.0) == 4.0
    changed = loaded(folder, more=2.0)
    assert changed.outer(1.0) == 6.0
    assert from_disk(changed) == 0


def test_a_kernel_whose_imported_constant_has_changed_is_compiled_again(folder: Path) -> None:
    assert loaded(folder).outer(1.0) == 4.0
    assert loaded(folder, factor=3.0).outer(1.0) == 6.0


def test_a_kernel_of_which_nothing_has_changed_comes_from_disk(folder: Path) -> None:
    assert loaded(folder).outer(1.0) == 4.0
    again = loaded(folder)
    assert again.outer(1.0) == 4.0
    assert from_disk(again) == 1
