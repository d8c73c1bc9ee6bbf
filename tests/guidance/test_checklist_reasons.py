"""The checklist before the gas: kept in the history, and asked for by ``cryoguide may-treat``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidance.analyse import analyse
from guidance.checklist.answers import judge_file
from guidance.checklist.reasons import checklist_reasons
from guidance.cli import main
from guidance.history.store import HistoryStore
from guidance.outcome import Checked
from models.catalogue import load_questions
from models.contraindications import Checklist, questions_for
from models.contraindications_file import checklist_text
from models.history import PastFinding
from models.history_rules import Allowed, Reason, Refused, Warned, with_reasons
from tests.history_scenes import NOON, past

LISTED = load_questions()


def answers(path: Path, *, zone: str = "knee", device: str = "ln2-wand", **said: str) -> Path:
    """A file filled in five minutes before noon, all answers no but those said."""
    filled = Checklist(NOON - timedelta(minutes=5), "OP-1", {}, zone=zone)
    asked = questions_for(LISTED, zone=zone, device=device)
    text = checklist_text(asked, filled=filled, approval=LISTED.approval, title=zone)
    text = text.replace('"unanswered"\n', '"no"\n')
    for name, answer in said.items():
        assert f'{name} = "no"' in text
        text = text.replace(f'{name} = "no"', f'{name} = "{answer}"')
    path.write_text(text)
    return path


def judged(path: Path) -> Checked:
    return judge_file(path, LISTED, subject="A-017", zone="knee", device="ln2-wand", started=NOON)


def test_an_absolute_finding_refuses_and_so_does_a_relative_one_without_a_reason(tmp_path: Path) -> None:
    for said, words in (({"raynaud": "yes"}, "raynaud (yes)"), ({"drugs": "unknown"}, "drugs (unknown)")):
        (reason,) = checklist_reasons(judged(answers(tmp_path / "c.toml", **said)), ())
        assert (reason.rule, reason.refuses) == ("checklist", True)
        assert words in reason.words


def test_a_clear_checklist_gives_no_reason_and_a_missing_one_is_told(tmp_path: Path) -> None:
    assert checklist_reasons(judged(answers(tmp_path / "c.toml")), ()) == ()
    for checked in (None, judged(tmp_path / "none.toml")):
        (reason,) = checklist_reasons(checked, ())
        assert not reason.refuses


def test_what_spoke_against_the_last_session_is_to_be_asked_again(tmp_path: Path) -> None:
    found = (PastFinding("raynaud", "yes", "blocking", None),)
    before = (
        past("a", checklist="blocked", findings=found),
        past("b", started=NOON - timedelta(days=1), checklist="clear"),
    )
    clear = judged(answers(tmp_path / "c.toml"))
    (reason,) = checklist_reasons(clear, before)
    assert "raynaud (yes): ask again" in reason.words
    assert checklist_reasons(clear, before[1:]) == ()


def test_reasons_are_added_and_what_refuses_comes_first() -> None:
    no, mild = Reason("checklist", True, "no"), Reason("interval", False, "mild")
    assert with_reasons(Allowed(), ()) == Allowed()
    assert with_reasons(Allowed(), (mild,)) == Warned((mild,))
    assert with_reasons(Warned((mild,)), (no,)) == Refused((no, mild))
    assert with_reasons(Refused((no,)), ()) == Refused((no,))


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Clock:
            return cls(2026, 11, 23, 12, tzinfo=UTC)

    monkeypatch.setattr("guidance.cli.datetime", Clock)


@pytest.mark.usefixtures("noon")
def test_may_treat_asks_for_the_checklist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*more: str) -> tuple[int, str]:
        options = ["A-017", "knee", "--side", "left", "--protocol", "ln2-analgesia"]
        code = main(["may-treat", *options, "--history", str(tmp_path / "h.sqlite3"), *more])
        return code, capsys.readouterr().out

    code, words = ask()
    assert code == 0
    assert "No checklist was given" in words
    assert "Nothing in the history speaks against it" in words
    code, words = ask("--checklist", str(answers(tmp_path / "c.toml")))
    assert code == 0
    assert "hecklist" not in words
    code, words = ask("--checklist", str(answers(tmp_path / "c.toml", raynaud="yes")))
    assert code == 3
    assert words.startswith("Refused: The checklist speaks against the gas: raynaud (yes).")
    code, words = ask("--checklist", str(answers(tmp_path / "c.toml", zone="calf")))
    assert code == 0
    assert "for the zone calf, not knee" in words


def test_the_history_keeps_what_the_checklist_found(
    tiny: Callable[[], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tiny(), tmp_path / "h.sqlite3"
    text = (folder / "session.toml").read_text()
    zone, device = (text.split(f'{key} = "')[1].split('"')[0] for key in ("zone", "device"))
    started = datetime.fromisoformat(text.split("started = ")[1].split("\n")[0].replace("Z", "+00:00"))
    asked = questions_for(LISTED, zone=zone, device=device)
    filled = Checklist(started - timedelta(minutes=1), "OP-1", {}, zone=zone)
    written = checklist_text(asked, filled=filled, approval=LISTED.approval, title=zone)
    written = written.replace('"unanswered"\n', '"no"\n').replace('raynaud = "no"', 'raynaud = "yes"')
    (folder / "checklist.toml").write_text(written)
    analyse(folder, out=tmp_path / "report", video=False, history=file, subject="A-017")
    (kept,) = HistoryStore(file).sessions()
    assert kept.checklist == "blocked"
    assert kept.checklist_at == started - timedelta(minutes=1)
    assert kept.findings == (PastFinding("raynaud", "yes", "blocking", None),)
    assert main(["history", "--history", str(file), "--show", kept.recording_sha256[:8]]) == 0
    assert "raynaud yes (blocking)" in capsys.readouterr().out
