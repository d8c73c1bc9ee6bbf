"""The checklist beside a recorded session: judged, recorded, and never taken for granted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from guidance.analyse import analyse
from guidance.checklist.answers import judge_checklist
from guidance.outcome import Checked
from models.catalogue import load_questions
from models.contraindications import Checklist, questions_for
from models.contraindications_file import checklist_text
from models.treatment import Treatment
from tests.history_scenes import NOON

LISTED = load_questions()
TREATMENT = Treatment(NOON, "knee", "left", "ln2-wand", "ln2-analgesia", "A-017", None, None, None, ())


def write(folder: Path, *, before: timedelta = timedelta(minutes=5), **said: str) -> None:
    filled = Checklist(
        NOON - before, "OP-1", {}, zone=said.pop("zone", "knee"), subject=said.pop("subject", None)
    )
    asked = questions_for(LISTED, zone="knee", device="ln2-wand")
    text = checklist_text(asked, filled=filled, approval=LISTED.approval, title="knee")
    text = text.replace('"unanswered"\n', '"no"\n')
    for name, answer in said.items():
        text = text.replace(f'{name} = "no"', f'{name} = "{answer}"')
    (folder / "checklist.toml").write_text(text)


def looked(folder: Path) -> Checked:
    path = folder / "checklist.toml"
    return judge_checklist(lambda: path.read_bytes() if path.exists() else None, TREATMENT, LISTED)


def test_no_checklist_is_said_plainly_and_is_not_clear(tmp_path: Path) -> None:
    assert looked(tmp_path).verdict == "not_filled_in"
    assert "was not filled in" in str(looked(tmp_path).remark)


def test_answers_of_this_session_are_judged(tmp_path: Path) -> None:
    write(tmp_path)
    assert (looked(tmp_path).verdict, looked(tmp_path).remark) == ("clear", None)
    write(tmp_path, raynaud="yes")
    assert looked(tmp_path).verdict == "blocked"
    assert "blocks" in str(looked(tmp_path).remark)
    write(tmp_path, drugs="yes")
    assert looked(tmp_path).verdict == "needs_confirmation"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"zone": "calf"}, "for the zone calf, not knee"),
        ({"subject": "B-2"}, "for the subject B-2, not A-017"),
        ({"before": timedelta(hours=13)}, "not within 12 h before"),
        ({"before": timedelta(minutes=-1)}, "not within 12 h before"),
        ({"raynaud": "maybe"}, "cannot be read"),
    ],
)
def test_answers_of_another_treatment_count_as_not_filled_in(tmp_path: Path, said: dict, told: str) -> None:
    write(tmp_path, **said)
    assert looked(tmp_path).verdict == "not_filled_in"
    assert told in str(looked(tmp_path).remark)


@pytest.mark.parametrize(
    ("after_s", "verdict"),
    [(0.0, "clear"), (600.0, "clear"), (-60.0, "not_filled_in"), (46800.0, "not_filled_in")],
)
def test_answers_given_at_the_console_while_a_session_was_played_are_of_that_replay(
    tmp_path: Path, after_s: float, verdict: str
) -> None:
    """The session that is played is days old; its replay is now."""
    played_at = NOON + timedelta(days=5, microseconds=900_000)
    write(tmp_path, before=-timedelta(days=5, seconds=after_s))
    path = tmp_path / "checklist.toml"
    checked = judge_checklist(path.read_bytes, TREATMENT, LISTED, played_at=played_at)
    assert checked.verdict == verdict
    assert judge_checklist(path.read_bytes, TREATMENT, LISTED).verdict == "not_filled_in"
    write(tmp_path)  # what lay beside the session that is played holds for its own time
    assert judge_checklist(path.read_bytes, TREATMENT, LISTED, played_at=played_at).verdict == "clear"


def test_summary_and_report_hold_what_was_answered(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    write(folder, before=timedelta(hours=2, minutes=5), drugs="yes")
    with (folder / "checklist.toml").open("a") as file:
        file.write('drugs = "paracetamol only"\n')
    out = folder.with_name("report")
    analyse(folder, out=out, video=False)
    kept = json.loads((out / "summary.json").read_text())["checklist"]
    assert (kept["verdict"], kept["operator"]) == ("clear", "OP-1")
    assert kept["confirmed"] == [{"question": "drugs", "answer": "yes", "reason": "paracetamol only"}]
    page = (out / "report.html").read_text()
    assert "Before the gas" in page
    assert "Reason: paracetamol only" in page
    (folder / "checklist.toml").unlink()
    outcome = analyse(folder, out=out, video=False)
    assert "was not filled in" in (out / "report.html").read_text()
    assert any("was not filled in" in words for words in outcome.warnings)
