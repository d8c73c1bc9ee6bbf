"""A replay is the same to the last bit on another number of cores."""

import subprocess
import sys

ASK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from guidance import cli
import cv2
with ThreadPoolExecutor(1) as pool:
    sys.exit(cv2.ipp.useIPP() or pool.submit(cv2.ipp.useIPP).result())
"""


def test_no_thread_of_a_command_uses_kernels_that_add_up_otherwise_on_another_number_of_cores() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
