"""The history file: nothing counted twice, nothing lost, several writers at once."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from guidance.history import schema as history_schema
from guidance.history import store as history_store
from guidance.history.store import HistoryStore, default_history
from models.history import PastFinding
from models.problems import InputError
from tests.history_scenes import NOON, past

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    return HistoryStore(tmp_path / "deep" / "history.sqlite3", wait_s=0.05)


def test_what_is_written_is_read_again(store: HistoryStore) -> None:
    session = past(min_degc=None, started=NOON + timedelta(milliseconds=1.5))
    assert store.record(session)
    assert store.sessions() == (session,)


def test_the_same_recording_is_counted_once_and_the_later_analysis_holds(store: HistoryStore) -> None:
    assert store.record(past())
    again = past(gas_s=61.0, tile_time_s=(61.0,), limits=())
    assert not store.record(again)
    assert store.sessions() == (again,)


def test_sessions_come_oldest_first_and_one_subject_is_found_whatever_its_case(store: HistoryStore) -> None:
    later, earlier = (
        past("b", started=NOON + timedelta(hours=1)),
        past("c", started=NOON - timedelta(hours=1)),
    )
    other = past("d", subject="B-3")
    for session in (later, other, earlier):
        store.record(session)
    assert store.sessions(subject="a-017") == (earlier, later)
    assert store.sessions() == (earlier, other, later)


def test_nothing_is_made_by_looking(store: HistoryStore) -> None:
    assert store.sessions() == ()
    assert not store.path.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
@pytest.mark.parametrize("linked", ["the file", "its folder", "itself"])
def test_a_history_whose_disk_is_not_connected_is_not_an_empty_one(tmp_path: Path, linked: str) -> None:
    """A link that leads nowhere: nothing would have spoken against a second treatment on the same day."""
    path = tmp_path / "deep" / "history.sqlite3"
    if linked == "its folder":
        path.parent.symlink_to(tmp_path / "disk")
    else:
        path.parent.mkdir()
        path.symlink_to(path if linked == "itself" else tmp_path / "disk" / "history.sqlite3")
    store = HistoryStore(path, wait_s=0.05)
    for asked in (
        lambda: store.sessions(subject="A-017"),
        lambda: store.cells("b"),
        lambda: store.record(past()),
    ):
        with pytest.raises(InputError, match=r"^The history .* cannot be .*\.$"):
            asked()


def test_only_the_user_may_read_the_file(store: HistoryStore) -> None:
    store.record(past())
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_locked_file_is_told_in_a_sentence_and_keeps_what_it_holds(store: HistoryStore) -> None:
    store.record(past())
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match="another program holds it"):
        store.record(past("b"))
    assert store.sessions() == (past(),)  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert store.record(past("b"))


def test_a_full_disk_keeps_what_the_file_holds(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(past())
    honest = history_store.connect  # a full disk is made by a limit on this connection

    def full(path: Path, *, wait_s: float) -> sqlite3.Connection:
        base = honest(path, wait_s=wait_s)
        base.execute("PRAGMA max_page_count = 1")  # SQLite takes the pages in use instead
        return base

    monkeypatch.setattr(history_store, "connect", full)

    def fill() -> None:
        for number in range(200):
            store.record(past(f"b{number}", limits=past().limits * 50))

    with pytest.raises(InputError, match="the disk is full") as told:
        fill()
    assert "\n" not in str(told.value)
    monkeypatch.undo()
    kept = store.sessions()
    assert past() in kept
    assert all(len(session.limits) in (1, 50) for session in kept)  # each whole or not there
    assert store.record(past("c"))


def test_two_processes_may_make_the_file_and_write_at_once(store: HistoryStore) -> None:
    write_side_by_side(store)
    names = {session.recording_sha256 for session in store.sessions()}
    assert names == {f"{who}{n}" for who in "xy" for n in range(25)} | {f"both{n}" for n in range(5)}
    assert len(store.sessions()) == 55


def write_side_by_side(store: HistoryStore) -> None:
    """Two processes; each writes 25 sessions, and 5 that the other writes as well."""
    code = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from guidance.history.store import HistoryStore; from tests.history_scenes import past\n"
        "store = HistoryStore(Path(sys.argv[1]))\n"
        "sys.stdin.readline()\n"
        "for n in range(25):\n"
        "    store.record(past(f'{sys.argv[2]}{n}'))\n"
        "    n < 5 and store.record(past(f'both{n}'))\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(store.path), name], stdin=subprocess.PIPE, text=True
        )
        for name in ("x", "y")
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files are others there")
def test_a_write_that_the_system_refuses_halfway_keeps_what_the_file_holds(store: HistoryStore) -> None:
    """No file of that process may grow beyond 60 kB: the sixth map of 5 kB or so does not fit."""
    store.record(past(), cells=b"map")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from guidance.history.store import HistoryStore; from models.problems import InputError\n"
        "from tests.history_scenes import past\n"
        "store = HistoryStore(Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
        "try:\n"
        "    for n in range(50): store.record(past(f'b{n}'), cells=b'x' * 5000)\n"
        "except InputError as told: print(n, told)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True
    )
    fitted, _, said = done.stdout.partition(" ")
    assert "what is in it stays as it was" in said
    assert {kept.recording_sha256 for kept in store.sessions()} == {
        "a",
        *(f"b{n}" for n in range(int(fitted))),
    }
    assert store.cells("a") == b"map"


def test_a_process_killed_while_it_writes_loses_nothing(store: HistoryStore) -> None:
    """It dies after the older entry of the same recording was taken out, and before the new one is in."""
    store.record(past(), cells=b"map")
    code = (
        "import os, sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from guidance.history import store; from tests.history_scenes import past\n"
        "store._plain = lambda value: os._exit(9)\n"
        "store.HistoryStore(Path(sys.argv[1])).record(past())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.path)], check=False)
    assert done.returncode == 9
    assert store.sessions() == (past(),)
    assert store.cells("a") == b"map"


V1 = """
CREATE TABLE session (recording_sha256 TEXT PRIMARY KEY, subject TEXT NOT NULL COLLATE NOCASE,
    started TEXT NOT NULL, duration_s REAL NOT NULL, zone TEXT NOT NULL, side TEXT NOT NULL, device TEXT
    NOT NULL, protocol TEXT NOT NULL, protocol_sha256 TEXT NOT NULL, protocol_approved_by TEXT,
    gas_from_s REAL, gas_to_s REAL, gas_s REAL NOT NULL, unassigned_s REAL NOT NULL, min_degc REAL,
    min_u95_degc REAL, end_degc REAL, end_u95_degc REAL, area_cm2 REAL, overexposed_cm2 REAL,
    unknown_cm2 REAL, software TEXT NOT NULL) STRICT;
CREATE INDEX session_by_subject ON session (subject, started);
CREATE TABLE tile (recording_sha256 TEXT NOT NULL REFERENCES session ON DELETE CASCADE, number
    INTEGER NOT NULL, gas_s REAL NOT NULL, PRIMARY KEY (recording_sha256, number)) STRICT;
CREATE TABLE limit_reached (recording_sha256 TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
    number INTEGER NOT NULL, cause TEXT NOT NULL, kind TEXT NOT NULL, priority TEXT NOT NULL, times
    INTEGER NOT NULL, first_s REAL NOT NULL, PRIMARY KEY (recording_sha256, number)) STRICT;
INSERT INTO session VALUES ('a', 'A-017', '2026-11-23T12:00:00.000000+00:00', 100.0, 'knee', 'left',
    'ln2-wand', 'ln2-analgesia', 'p', NULL, 5.0, 65.0, 60.0, 0.5, 6.5, 1.0, 15.0, 1.0, 170.0, 0.0, 1.5,
    '0.1.0');
INSERT INTO tile VALUES ('a', 0, 60.0), ('a', 1, 2.0);
INSERT INTO limit_reached VALUES ('a', 0, 'skin_temperature', 'physiological', 'high', 1, 40.0);
PRAGMA application_id = 0x63727967;
PRAGMA user_version = 1;
"""
"""A file as version 1 of the form left it, written down once and never edited."""
FINDINGS = (
    PastFinding("raynaud", "yes", "blocking", None),
    PastFinding("drugs", "unknown", "confirmed", "asked the ward"),
)
TABLES = ("session", "tile", "limit_reached", "exposure", "finding")


@pytest.fixture
def old(store: HistoryStore) -> HistoryStore:
    store.path.parent.mkdir()
    base = sqlite3.connect(store.path)
    base.executescript(V1)
    base.close()
    return store


def version_and_tables(path: Path) -> tuple[int, set[str]]:
    base = sqlite3.connect(path)
    (version,) = base.execute("PRAGMA user_version").fetchone()
    tables = {str(name) for (name,) in base.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    base.close()
    return version, tables


def test_a_file_of_version_1_is_brought_up_with_all_that_it_holds(old: HistoryStore) -> None:
    assert old.sessions() == (past(),)
    assert old.record(past("b", continues="a", gap_s=30.0), cells=b"map")
    assert old.sessions() == (past(), past("b", continues="a", gap_s=30.0))
    assert (old.cells("a"), old.cells("b")) == (None, b"map")


@pytest.fixture
def second(old: HistoryStore) -> HistoryStore:
    """A file of version 2, with a session that has a map."""
    base = sqlite3.connect(old.path)
    base.executescript(history_schema.MIGRATIONS[1])
    base.execute("INSERT INTO exposure VALUES ('a', 'map')".replace("'map'", "x'6d6170'"))
    base.execute("PRAGMA user_version = 2")
    base.commit()
    base.close()
    return old


def test_a_file_of_version_2_is_brought_up_and_knows_of_no_checklist(second: HistoryStore) -> None:
    assert second.sessions() == (past(),)
    assert second.sessions()[0].checklist is None
    assert second.cells("a") == b"map"
    asked = past("b", checklist="blocked", checklist_at=NOON, findings=FINDINGS)
    second.record(asked)
    assert second.sessions() == (past(), asked)


def test_a_later_analysis_without_a_checklist_leaves_none_of_its_findings(store: HistoryStore) -> None:
    store.record(past(checklist="blocked", checklist_at=NOON, findings=FINDINGS))
    again = past(checklist="not_filled_in")
    store.record(again)
    assert store.sessions() == (again,)


def test_an_old_file_and_a_new_one_have_the_same_form(old: HistoryStore, tmp_path: Path) -> None:
    old.record(past("b"))
    new = HistoryStore(tmp_path / "new.sqlite3")
    new.record(past("b"))

    def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
        base = sqlite3.connect(path)
        found = {name: base.execute(f"PRAGMA table_info({name})").fetchall() for name in TABLES}
        base.close()
        return found

    assert version_and_tables(old.path) == version_and_tables(new.path)
    assert columns(old.path) == columns(new.path)


def test_a_migration_that_fails_halfway_leaves_the_old_form(
    old: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (history_schema.MIGRATIONS[0], f"{history_schema.MIGRATIONS[1]}; SELECT * FROM nowhere")
    monkeypatch.setattr(history_schema, "MIGRATIONS", broken)
    with pytest.raises(InputError, match="cannot be read"):
        old.sessions()
    assert version_and_tables(old.path) == (1, set(TABLES) - {"exposure", "finding"})
    monkeypatch.undo()
    assert old.sessions() == (past(),)


def test_two_processes_may_bring_a_file_up_at_once(old: HistoryStore) -> None:
    write_side_by_side(old)
    assert len(old.sessions()) == 56


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE session (name TEXT)")
    base.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="another program"):
        HistoryStore(path).record(past())
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n" * 200)
    with pytest.raises(InputError, match="it is not a database"):
        HistoryStore(path).record(past())
    assert path.read_text() == "buy milk\n" * 200


def test_a_file_of_a_later_version_is_refused_and_stays(store: HistoryStore) -> None:
    store.record(past())
    with sqlite3.connect(store.path) as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(InputError, match="later version of cryoguide"):
        store.record(past("b"))


def test_the_history_lies_in_the_platforms_data_folder() -> None:
    home = Path("/home/x")

    def where(platform: str, **environment: str) -> str:
        return default_history(environment, home=home, platform=platform).as_posix()

    assert where("linux") == "/home/x/.local/share/cryoguide/history.sqlite3"
    assert where("linux", XDG_DATA_HOME="/d") == "/d/cryoguide/history.sqlite3"
    assert where("darwin") == "/home/x/Library/Application Support/cryoguide/history.sqlite3"
    assert where("win32", LOCALAPPDATA="/l") == "/l/cryoguide/history.sqlite3"
    assert where("linux", CRYOGUIDE_DATA="/own") == "/own/history.sqlite3"
