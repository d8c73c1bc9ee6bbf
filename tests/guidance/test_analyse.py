"""A recording in, a report folder out: whole or not at all, and told on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from guidance import analyse as analyse_module
from guidance.analyse import Progress, analyse
from guidance.report.rows import TraceRows, zone_state
from guidance.set_up import needs_eyes
from models.jet_profile import JetProfile
from models.jet_profile_file import jet_profile_lines
from models.problems import InputError
from models.sightings import Lost
from vision.recording import open_recording

WRITTEN = {"summary.json", "captures.parquet", "cells.parquet", "alarms.parquet", "report.html"}


def test_a_small_session_gives_every_file(tiny: Callable[[], Path], tmp_path: Path) -> None:
    out = tmp_path / "report"
    told: list[Progress] = []
    outcome = analyse(tiny(), out=out, on_progress=told.append)
    assert {path.name for path in out.iterdir()} >= WRITTEN | {"annotated.mp4"}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["schema"] == "cryoguide.summary/1"
    assert set(summary["hashes"]) >= {"rig", "protocol", "models"}
    assert summary["captures"] == 12
    captures = pyarrow.parquet.read_table(out / "captures.parquet")
    assert len(captures) == 12
    assert np.array(captures["t_s"].to_pylist()) == pytest.approx(0.1 * np.arange(12))
    assert outcome.summary["gas_s"] == pytest.approx(0.4)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1].done == told[-1].total == 12
    assert told[-1].note == "writing the report"


def test_progress_goes_by_time_where_there_is_no_colour_video(
    tiny: Callable[[], Path], tmp_path: Path
) -> None:
    folder, told = tiny(), list[Progress]()
    text = (folder / "session.toml").read_text().replace('rgb = "rgb.mp4"\n', "")
    text = text.replace("[[tap]]", '[[tap]]\nstream = "thermal"')
    text = text.replace("[[20, 20], [40, 20], [40, 40]]", "[[2, 2], [9, 2], [9, 9]]")
    (folder / "session.toml").write_text(text)
    analyse(folder, out=tmp_path / "report", video=False, on_progress=told.append)
    shares = [progress.done / progress.total for progress in told if progress.note == "analysing"]
    assert shares == sorted(shares)
    assert min(abs(share - 0.5) for share in shares) < 0.1
    assert told[-1].done == told[-1].total


def test_without_the_video_no_video_is_written(tiny: Callable[[], Path], tmp_path: Path) -> None:
    analyse(tiny(), out=tmp_path / "report", video=False)
    assert not (tmp_path / "report" / "annotated.mp4").exists()


def test_a_nozzle_never_seen_leaves_all_gas_unassigned(tiny: Callable[[], Path], tmp_path: Path) -> None:
    outcome = analyse(tiny(), out=tmp_path / "report", video=False)
    assert outcome.summary["unassigned_s"] == pytest.approx(0.4)
    assert outcome.summary["tracked_pct"] == 0.0
    captures = pyarrow.parquet.read_table(tmp_path / "report" / "captures.parquet")
    for column in ("tip_x_mm", "axis_x", "tip_u95_mm", "distance_mm", "incidence_deg", "time_to_limit_s"):
        assert captures[column].null_count == len(captures)


def test_a_second_analysis_replaces_the_first_as_a_whole(tiny: Callable[[], Path], tmp_path: Path) -> None:
    session, out = tiny(), tmp_path / "report"
    analyse(session, out=out)
    analyse(session, out=out, video=False)
    assert not (out / "annotated.mp4").exists()
    assert {path.name for path in out.iterdir()} >= WRITTEN


def test_an_analysis_that_fails_leaves_the_old_report_and_nothing_beside_it(
    tiny: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, out = tiny(), tmp_path / "report"
    analyse(session, out=out, video=False)
    before = (out / "summary.json").read_bytes()

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(analyse_module, "write_report", fail)
    with pytest.raises(RuntimeError, match="disk is full"):
        analyse(session, out=out, video=False)
    assert (out / "summary.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "tiny"]


def test_a_session_that_cannot_be_read_leaves_no_folder(tiny: Callable[[], Path], tmp_path: Path) -> None:
    session = tiny()
    text = (session / "session.toml").read_text()
    (session / "session.toml").write_text(text.replace('zone = "knee"', 'zone = "tail"'))
    with pytest.raises(InputError, match="tail"):
        analyse(session, out=tmp_path / "report")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_bodies_are_looked_for_only_where_no_outline_was_tapped(tiny: Callable[[], Path]) -> None:
    session = tiny()
    assert not needs_eyes(open_recording(session))
    text = (session / "session.toml").read_text()
    (session / "session.toml").write_text(text[: text.index("[[tap]]")])
    assert needs_eyes(open_recording(session))


def test_a_row_holds_nan_for_what_was_not_known_and_numbers_for_what_was(scene) -> None:
    rows = TraceRows()
    rows.add(scene.guidance())
    rows.add(scene.lost())
    trace = rows.trace()
    assert trace.nozzle_state == ("tracked", "lost")
    for name in (
        "tip_u95_mm",
        "distance_mm",
        "distance_u95_mm",
        "incidence_deg",
        "tags_used",
        "skin_min_degc",
    ):
        values = getattr(trace, name)
        assert np.isfinite(values[0]), name
        assert np.isnan(values[1]), name
    assert np.isfinite(trace.tip_rgb_mm[0]).all()
    assert np.isnan(trace.tip_rgb_mm[1]).all()
    assert np.isnan(trace.axis_rgb[1]).all()
    assert trace.zone_state == ("placed", "placed")
    assert zone_state(Lost("no body", 0.0)) == "lost"


def test_no_rows_are_a_trace_of_none() -> None:
    trace = TraceRows().trace()
    assert trace.t_s.shape == (0,)
    assert trace.tip_rgb_mm.shape == (0, 3)


def test_a_jet_measured_on_another_device_is_told_once(tiny: Callable[[], Path], tmp_path: Path) -> None:
    session = tiny()
    with (session / "rig.toml").open("a") as rig:
        jet = JetProfile("another-device", 8.0, 0.1, 180.0, 100.0, 0.5, -70.0, 70.0, 150.0, 1.4)
        rig.write("\n" + "\n".join(jet_profile_lines(jet)) + "\n")
    outcome = analyse(session, out=tmp_path / "report", video=False)
    assert sum("another-device" in warning for warning in outcome.warnings) == 1
