"""What the allocator of the C library gives back, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from guidance.allocator import give_back

ROOT = Path(__file__).parents[2]
BEGIN = """
import numpy as np
from guidance.allocator import give_back, keep_large_apart
from benchmarks.soak import resident_mb
"""

pytestmark = pytest.mark.skipif(not give_back(), reason="this system's allocator cannot be asked")


def alone(code: str) -> None:
    subprocess.run([sys.executable, "-c", BEGIN + code], check=True, cwd=ROOT, timeout=60.0)


def test_what_was_freed_below_memory_still_in_use_goes_back_to_the_system() -> None:
    alone("""
many = [np.ones(100_000, np.uint8) for _ in range(2_000)]
last = many[-1]
del many
before_mb = resident_mb()
give_back()
assert resident_mb() < before_mb - 150.0, (before_mb, resident_mb())
""")


@pytest.mark.parametrize("apart", [False, True])
def test_a_picture_below_memory_still_in_use_goes_back_only_where_large_is_kept_apart(apart: bool) -> None:
    alone(f"""
if {apart}:
    assert keep_large_apart()
once = np.ones(30_000_000, np.uint8)
del once  # by its size the allocator learns what is large
before_mb = resident_mb()
between = [(np.ones(2_700_000, np.uint8), np.ones(1_000, np.uint8)) for _ in range(60)]
small = [one for _, one in between]
del between
assert (resident_mb() < before_mb + 20.0) == {apart}, (before_mb, resident_mb())
""")
