"""``cryoguide checklist``: listed, filled in, judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from guidance.cli import main

KNEE = ("knee", "--protocol", "ln2-analgesia")


def said(capsys: pytest.CaptureFixture[str], *asked: str, code: int = 0) -> str:
    assert main(["checklist", *asked]) == code
    out, err = capsys.readouterr()
    return out + err


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "checklist.toml"
    said(capsys, *KNEE, "--template", str(path), "--operator", "OP-1")
    path.write_text(path.read_text().replace('"unanswered"\n', '"no"\n'))
    return path


def test_a_zone_and_a_protocol_are_asked_what_concerns_them(capsys) -> None:
    shown = said(capsys, *KNEE)
    assert "Raynaud" in shown
    assert "oxygen-alarm" in shown
    assert "pregnancy" not in shown
    assert "not approved by a clinician" in shown
    assert "pregnancy" in said(capsys)


def test_a_template_blocks_until_it_is_filled_in(filled: Path, tmp_path: Path, capsys) -> None:
    assert "clear" in said(capsys, "--answers", str(filled))
    said(capsys, *KNEE, "--template", str(tmp_path / "new.toml"), "--operator", "OP-1")
    assert "Blocks" in said(capsys, "--answers", str(tmp_path / "new.toml"), code=1)
    assert "is there already" in said(capsys, "--template", str(filled), "--operator", "OP-1", code=2)
    assert "--operator OP-1" in said(capsys, "--template", str(tmp_path / "no.toml"), code=2)


def test_an_absolute_one_leaves_with_1_and_says_why(filled: Path, capsys) -> None:
    filled.write_text(filled.read_text().replace('raynaud = "no"', 'raynaud = "yes"'))
    shown = said(capsys, "--answers", str(filled), code=1)
    assert "Blocks: Does the patient have Raynaud" in shown
    assert "blocked" in shown


def test_a_relative_one_leaves_with_1_until_a_reason_is_given(filled: Path, capsys) -> None:
    filled.write_text(filled.read_text().replace('drugs = "no"', 'drugs = "yes"'))
    assert "needs confirmation" in said(capsys, "--answers", str(filled), code=1)
    filled.write_text(filled.read_text() + 'drugs = "paracetamol only"\n')
    assert "Reason: paracetamol only" in said(capsys, "--answers", str(filled))


def test_answers_for_another_zone_are_refused(filled: Path, capsys) -> None:
    assert "for the zone knee, not calf" in said(capsys, "calf", "--answers", str(filled), code=2)


def test_an_own_copy_is_checked_and_told_where_it_asks_less(tmp_path: Path, capsys) -> None:
    said(capsys, "--copy", str(tmp_path))
    own = tmp_path / "contraindications.toml"
    assert "No mistake found" in said(capsys, "--check", str(own))
    own.write_text(own.read_text().replace('kind = "absolute"', 'kind = "relative"', 1))
    assert "raynaud is relative here" in said(capsys, "--check", str(own))
    assert "is there already" in said(capsys, "--copy", str(tmp_path), code=2)
