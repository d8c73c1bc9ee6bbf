"""After the warm-up no capture waits for the skin's kernels to be compiled."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

from guidance.warm_up import STEPS, warm_up
from tests.guidance.scripted import setup_of

ROOT = Path(__file__).parents[2]

COMPILED_LATER = """
import sys
from collections import Counter
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from guidance.set_up import set_up
from guidance.pipeline import step
from guidance.stages.state import begin
from guidance.warm_up import warm_up
from vision.recording import open_recording

def compiled():
    return {
        f"{name}.{key} {form}"
        for name, module in list(sys.modules.items())
        if name.startswith("models.")
        for key, value in vars(module).items()
        if isinstance(value, Dispatcher) and value.py_func.__module__ == name
        for form in value.signatures
    }

recording = open_recording(Path("tests/recordings/calf"))
setup, state = set_up(recording), begin()
warm_up(setup)
warm, gas_s = compiled(), 0.0
for capture in recording.captures():
    state, _ = step(state, capture, setup)
    gas_s += capture.gas_s
    if gas_s > 1.2:
        break
assert gas_s > 1.2
assert len(warm) > 12
for later in sorted(compiled() - warm):
    print("later", later)
forms = Counter(one.split(" ")[0] for one in compiled())
for name, count in forms.items():
    if count > 1:
        print("twice", name)
"""


@cache
def told() -> list[str]:
    """Of a process of its own, since other tests compile too."""
    run = [sys.executable, "-c", COMPILED_LATER]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_no_kernel_of_the_skin_is_compiled_after_the_warm_up() -> None:
    """The nozzle's lens is none of the skin's."""
    later = [line for line in told() if line.startswith("later")]
    assert [line for line in later if not line.startswith("later models.lens.")] == []


def test_each_kernel_is_compiled_once_whatever_the_arrays_that_it_is_given() -> None:
    """For each further form of them a first start would take half a second longer."""
    assert [line for line in told() if line.startswith("twice")] == []


def test_the_warm_up_tells_how_far_it_is_and_does_nothing_without_a_thermal_camera() -> None:
    told: list[tuple[int, int]] = []
    setup = setup_of()
    warm_up(setup, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(number, STEPS) for number in range(STEPS + 1)]
    assert setup.rig is not None
    told.clear()
    for rig in (None, replace(setup.rig, thermal=None), replace(setup.rig, nozzle=None)):
        warm_up(replace(setup, rig=rig), on_progress=lambda done, total: told.append((done, total)))
    assert told == []
