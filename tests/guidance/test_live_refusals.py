"""What cannot end well is refused before anybody is treated."""

from __future__ import annotations

from pathlib import Path

import pytest

from guidance.live_command import live
from models.problems import InputError
from tests.served_console import CALF


def test_a_report_that_would_be_written_over_a_file_is_refused_at_once(tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("mine")
    with pytest.raises(InputError, match="is a file; give a folder"):
        live(CALF, out=out, port=0, data=tmp_path)
    assert out.read_text() == "mine"
