import os

import pytest

from vision.mediapipe_tasks import quiet_stderr


def test_chatter_is_dropped_and_the_rest_comes_through(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"W0000 00:00:1.0 1 inference_feedback_manager.cc:121] Feedback manager\n")
        os.write(2, b"E0000 00:00:1.0 1 graph.cc:1] broken\nmy own words\n")
    assert capfd.readouterr().err == "E0000 00:00:1.0 1 graph.cc:1] broken\nmy own words\n"


def test_stderr_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="inside"), quiet_stderr():
        raise RuntimeError("inside")
    os.write(2, b"INFO: heard again\n")
    assert capfd.readouterr().err == "INFO: heard again\n"
