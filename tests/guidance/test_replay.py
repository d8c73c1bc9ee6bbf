"""A session replayed from what was seen, without its pictures, is the same session to the last bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from guidance.analyse import analyse
from guidance.cli import main
from guidance.outcome import Outcome
from guidance.pipeline import step
from guidance.recording import command as recording_command
from guidance.recording.command import record, replay
from guidance.recording.replay import steps
from guidance.seen import seen_in
from guidance.stages.state import begin
from models.body_landmarks import LANDMARKS
from models.capture import Capture
from models.geometry import Bytes
from models.problems import InputError
from models.sightings import Landmarks, Lost
from tests.guidance.scripted import SCENE, Script, setup_of
from tests.guidance.test_pipeline import same
from vision.mcap_recording import open_mcap
from vision.recording import open_recording

FROM_S = 6.5


@pytest.fixture(scope="module")
def session(calf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last seconds of the calf, with its STOP, as a session of its own."""
    folder = tmp_path_factory.mktemp("short") / "calf"
    shutil.copytree(calf, folder, ignore=shutil.ignore_patterns("truth"))
    for table in folder.glob("*.csv"):
        header, *rows = table.read_text().splitlines()
        kept = [row for row in rows if float(row.split(",")[1]) >= FROM_S]
        table.write_text("\n".join((header, *kept)) + "\n")
    return folder


@pytest.fixture(scope="module")
def recording(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It, recorded as it was looked at."""
    path = tmp_path_factory.mktemp("live") / "calf.mcap"
    status = record(session, path, blur=False)
    assert (status.captures_lost, status.pictures_left_out) == (0, 0)
    return path


@pytest.fixture(scope="module")
def analysed(session: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    """It, analysed as a folder."""
    out = tmp_path_factory.mktemp("folder") / "report"
    return analyse(session, out=out, video=False), out


def test_every_figure_cell_and_alarm_is_the_same_without_pictures(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gas, nozzle, depth, thermal pictures and a STOP."""
    assert replay(recording)
    assert "to the last bit" in capsys.readouterr().out
    assert all(one.capture.bgr is None for one in steps(open_mcap(recording), pictures=False))
    alarms = {alarm.cause for one in _told(recording) for alarm in one}
    assert "skin_temperature" in alarms


def test_one_changed_byte_in_the_middle_is_told_as_damage_and_the_rest_is_not_called_the_same(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(recording.read_bytes())
    data[len(data) // 2] ^= 0x40
    spoiled = tmp_path / "spoiled.mcap"
    spoiled.write_bytes(data)
    assert 0 < len(open_mcap(spoiled).times_s) < len(open_mcap(recording).times_s)
    assert main(["replay", str(spoiled)]) == 1
    said = capsys.readouterr().out
    assert "is damaged" in said
    assert "Partly" in said
    assert "Same" not in said
    assert "stopped" not in said


def _told(recording: Path) -> list[tuple]:
    state, told = begin(), []
    for one in steps(open_mcap(recording), pictures=False):
        state, guidance = step(state, one.capture, one.setup, one.actions)
        told.append(guidance.active)
    return told


def test_the_tables_of_a_replay_are_those_of_the_folder(
    recording: Path, analysed: tuple[Outcome, Path], tmp_path: Path
) -> None:
    live, folder = tmp_path / "live", analysed[1]
    outcome = analyse(recording, out=live, video=False, from_sightings=True)
    for table in ("captures", "cells", "alarms"):
        assert pq.read_table(live / f"{table}.parquet").equals(pq.read_table(folder / f"{table}.parquet"))
    steps_taken = outcome.summary["captures"]
    assert outcome.summary["replay"] == {"steps": steps_taken, "differing": 0, "first_s": None, "what": ""}
    told, then = (json.loads((out / "summary.json").read_text()) for out in (live, folder))
    differing = {name for name in then if told.get(name) != then[name]}
    assert differing <= {"runtime_s", "duration_s"}
    assert "report.html" in {path.name for path in live.iterdir()}


def test_a_bit_that_was_changed_is_found(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thermal reading colder by 0.1 degC, and a nozzle shifted by a billionth of a millimetre."""

    def colder(capture: Capture) -> Capture:
        counts = capture.thermal[0].centikelvin.copy()
        counts[counts.shape[0] // 2, counts.shape[1] // 2] -= 10
        return replace(capture, thermal=(replace(capture.thermal[0], centikelvin=counts),))

    def shifted(capture: Capture) -> Capture:
        assert capture.seen is not None
        nozzle = capture.seen.nozzle
        assert not isinstance(nozzle, Lost)
        pose = nozzle.rgb_from_nozzle
        moved = replace(pose, matrix=pose.matrix + 1e-9 * np.eye(4, k=3))
        return replace(capture, seen=replace(capture.seen, nozzle=replace(nozzle, rgb_from_nozzle=moved)))

    for change in (colder, shifted):

        def spoiled(recording, *, pictures: bool, change=change):
            for one in steps(recording, pictures=pictures):
                if one.capture.t_s > 7.5 and one.capture.thermal:
                    one = replace(one, capture=change(one.capture))
                yield one

        with monkeypatch.context() as patch:
            patch.setattr("guidance.recording.replay.steps", spoiled)
            assert not replay(recording)


def test_analysed_again_from_its_pictures_it_says_the_same_within_their_loss(
    recording: Path, analysed: tuple[Outcome, Path], tmp_path: Path
) -> None:
    """JPEG of quality 90: tip within 0.5 mm p95 is asked for; measured 0.04 mm. STOPs within 0.1 s."""
    one, two = analyse(recording, out=tmp_path / "again", video=False), analysed[0]
    off_mm = np.linalg.norm(one.trace.tip_rgb_mm - two.trace.tip_rgb_mm, axis=1)
    assert np.nanpercentile(off_mm, 95) < 0.2
    stops = [[a for a in outcome.alarms if a.priority == "high"] for outcome in (one, two)]
    assert [a.cause for a in stops[0]] == [a.cause for a in stops[1]]
    assert all(abs(a.t_on_s - b.t_on_s) <= 0.1 for a, b in zip(*stops, strict=True))


class _SeesTheSame:
    """Eyes that see one body wherever there is a picture."""

    def see(self, bgr: Bytes, *, t_s: float) -> Landmarks | Lost:
        """Shoulders above hips, well apart; nothing at first."""
        if t_s < 0.25:
            return Lost("seen in too few captures", 0.0)
        points = np.full((33, 2), 300.0)
        for name, place in {
            "left_shoulder": (500, 100), "right_shoulder": (300, 100), "left_hip": (480, 400),
            "right_hip": (320, 400), "left_knee": (480, 600), "right_knee": (320, 600),
            "left_ankle": (480, 700), "right_ankle": (320, 700),
        }.items():  # fmt: skip
            points[LANDMARKS[name]] = place
        return Landmarks(t_s, points + 0.1 * t_s, np.ones(33), np.zeros((33, 3)), np.ones(33, bool))


@pytest.mark.parametrize("with_rig", [False, True])
def test_what_the_landmark_network_saw_is_replayed_without_it(with_rig: bool) -> None:
    setup = replace(setup_of(taps=(), rig=SCENE.rig if with_rig else None), eyes=_SeesTheSame())
    live = replayed = begin()
    landmarks = 0
    for capture in Script().captures(1.2):
        live, told = step(live, capture, setup)
        seen = seen_in(live, capture, told)
        landmarks += isinstance(seen.landmarks, Landmarks)
        replayed, again = step(replayed, replace(capture, bgr=None, seen=seen), replace(setup, eyes=None))
        assert same(told, again)
    assert landmarks >= 3


def test_gaps_and_ticks_without_a_picture_are_replayed_as_they_were() -> None:
    """A colour gap of half a second, ticks between pictures, and a nozzle that no tag shows."""
    script = Script(ticks=1, colour=lambda t_s, picture: None if 0.6 <= t_s < 1.1 else picture)
    live, replayed, setup = begin(), begin(), setup_of()
    for capture in script.captures(1.6):
        live, told = step(live, capture, setup)
        seen = seen_in(live, capture, told)
        assert seen.in_colour == (capture.bgr is not None)
        replayed, again = step(replayed, replace(capture, bgr=None, seen=seen), setup)
        assert same(told, again)
        assert same(live.board, replayed.board)


def test_with_its_picture_at_hand_a_replay_does_not_look_at_it(calf: Path) -> None:
    setup = setup_of()
    first, *_ = open_recording(calf).captures()
    state, told = step(begin(), first, setup)
    seen = seen_in(state, first, told)
    assert first.bgr is not None
    black = replace(first, bgr=np.zeros_like(first.bgr), seen=seen)
    assert same(step(begin(), black, setup)[1], told)


def test_the_command_line_says_whether_all_is_the_same(
    recording: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_command, "replay", lambda path: path.name == "calf.mcap")
    assert main(["replay", str(recording)]) == 0
    assert main(["replay", str(recording.with_name("other.mcap"))]) == 1
    assert main(["verify", str(recording.with_suffix(".log"))]) == 0
    assert main(["verify", str(recording.with_suffix(".log")), "--lines", "3"]) == 1
    assert "cut off" in capsys.readouterr().out


def test_what_cannot_be_replayed_is_refused_in_a_sentence(
    calf: Path, recording: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="holds sightings"):
        analyse(calf, out=tmp_path / "out", from_sightings=True)
    with pytest.raises(InputError, match="protocol of then"):
        analyse(recording, out=tmp_path / "out", from_sightings=True, protocols=tmp_path / "own.toml")
    (tmp_path / "a.mcap").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no MCAP file"):
        analyse(tmp_path / "a.mcap", out=tmp_path / "out")
    (tmp_path / "a.mcap.age").write_bytes(b"age-encryption.org/v1")
    with pytest.raises(InputError, match="is encrypted"):
        analyse(tmp_path / "a.mcap.age", out=tmp_path / "out")
    with pytest.raises(InputError, match="ending"):
        record(calf, tmp_path / "a.bag", blur=False)
