"""What is put off and hurried while a session runs, and that nothing of it stays."""

from __future__ import annotations

import gc
import sys

from guidance.live.steady import SWITCH_S, settle, steady


def test_collector_and_threads_are_as_before_when_a_session_is_over() -> None:
    before = (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count())
    with steady():
        settle()
        assert abs(sys.getswitchinterval() - SWITCH_S) < 1e-6
        assert gc.get_freeze_count() > before[2]
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before


def test_what_was_there_before_is_not_walked_over_again() -> None:
    with steady():
        settle()
        # Left to be looked through: what came after, not the hundred thousands of objects of all modules.
        assert len(gc.get_objects()) < 1000
