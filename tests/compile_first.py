"""What every worker would else do for itself, once and on two cores before they start; `make test` runs this.

Workers that all begin with nothing on disk compile the same functions and rewrite the same assertions at the
same time.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from pathlib import Path

# As guidance/cli.py does, before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from guidance.run import Run
from guidance.set_up import set_up
from guidance.warm_up import warm_up
from vision.recording import open_recording
from vision.synthetic import captures
from vision.synthetic_scene import Scene, SkinTag

CALF = Path(__file__).parent / "recordings" / "calf"


def skin() -> None:
    """Compile what runs from the first gas on; then have all assertions rewritten, as collecting does."""
    warm_up(set_up(open_recording(CALF)))
    pytest.main(["--collect-only", "-p", "no:terminal"])  # what cannot be collected is told by the workers


def pictures() -> None:
    """Compile what finds nozzle and skin until gas flows, and what draws pictures of simulated cameras."""
    recording = open_recording(CALF)
    run = Run(set_up(recording), recording)
    for capture in recording.captures():
        run.take(capture)
        if capture.gas_now:
            break
    for _ in captures(Scene(seconds=0.3, size=0.25, skin_tags=(SkinTag(100, 0.0, 40.0),), gas_s=(0.0, 0.1))):
        pass


def main() -> int:
    """Do both at once; 1 where one of them failed."""
    fresh = get_context("spawn")
    running = [fresh.Process(target=part) for part in (skin, pictures)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return int(any(one.exitcode for one in running))


if __name__ == "__main__":
    sys.exit(main())
