"""``cryoguide import``: from a camera's file to a session that the analysis reads."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from guidance.cli import main
from models.rig_file import read_rig
from models.treatment_file import read_treatment
from tests.guidance.importing import ROOM, THERMAL_ONLY, TREATED, run, small_array
from vision.recording import open_recording
from vision.streams import open_stack


def test_a_recording_becomes_a_session_that_is_read(calf: Path, tmp_path: Path) -> None:
    out = tmp_path / "session"
    files = ["--colour", str(calf / "rgb.mp4"), "--rig", str(calf / "rig.toml")]
    times = ["--thermal-csv", str(calf / "thermal.csv")]
    unit = ["--unit", "centikelvin"]
    assert main(["import", str(calf / "thermal.mkv"), str(out), *files, *times, *unit, *TREATED, *ROOM]) == 0
    recording = open_recording(out)
    assert recording.treatment.zone == "calf"
    assert recording.thermal is not None
    assert len(recording.thermal.t_s) == 125
    assert (out / "rgb.mp4").read_bytes() == (calf / "rgb.mp4").read_bytes()
    before = next(open_stack(calf / "thermal.mkv", where="", values="", flag=True).read())
    after = next(recording.thermal.read())
    assert before is not None
    assert after is not None
    # Surroundings of 22 degC, tau about 0.995: skin of 30 degC reads about 0.2 degC too cold.
    shift = (after.astype(int) - before.astype(int)) / 100.0
    skin = (before > 30000) & (before < 30500)
    assert 0.05 < np.median(shift[skin]) < 0.35


def test_the_header_that_is_written_is_the_one_that_was_asked_for(calf: Path, tmp_path: Path) -> None:
    out = tmp_path / "session"
    what = ["--subject", "A-017", "--room-degc", "22.5", "--outline", "10,10 60,10 60,60"]
    np.save(tmp_path / "t.npy", np.full((3, 12, 16), 20.0, np.float32))
    every = ["--every-s", "0.1", "--offset-s", "0"]
    assert main(["import", str(tmp_path / "t.npy"), str(out), *what, *every, *TREATED, *ROOM]) == 2
    what[-1] = "2,2 10,2 10,9"
    assert main(["import", str(tmp_path / "t.npy"), str(out), *what, *every, *TREATED, *ROOM]) == 0
    treatment = read_treatment((out / "session.toml").read_text(), where="").treatment
    assert (treatment.subject, treatment.room_degc, treatment.device) == ("A-017", 22.5, "co2")
    assert treatment.taps[0].outline_px.tolist() == [[2, 2], [10, 2], [10, 9]]


def test_a_recording_that_needs_no_correction_comes_through_unchanged(calf: Path, tmp_path: Path) -> None:
    out = tmp_path / "session"
    files = ["--colour", calf / "rgb.mp4", "--rgb-csv", calf / "rgb.csv", "--rig", calf / "rig.toml"]
    files += ["--depth", calf / "depth.mkv", "--thermal-csv", calf / "thermal.csv", "--unit", "centikelvin"]
    nothing = [
        "--emissivity",
        "1",
        "--distance-mm",
        "0",
        "--reflected-degc",
        "23",
        "--camera-emissivity",
        "1",
    ]
    assert run(calf / "thermal.mkv", out, *files, *nothing, *TREATED, "--valve", "0.8:8.6") == 0
    ours, theirs = open_recording(out), open_recording(calf)
    assert ours.treatment.valve_s == theirs.treatment.valve_s
    for mine, original in zip(ours.captures(), theirs.captures(), strict=True):
        assert (mine.t_s, mine.index, mine.gas_s) == (original.t_s, original.index, original.gas_s)
        for ours_t, theirs_t in zip(mine.thermal, original.thermal, strict=True):
            assert (ours_t.t_s, ours_t.shutter) == (theirs_t.t_s, theirs_t.shutter)
            assert np.abs(ours_t.centikelvin.astype(int) - theirs_t.centikelvin.astype(int)).max() == 0
        for ours_d, theirs_d in zip(mine.depth, original.depth, strict=True):
            assert np.array_equal(ours_d.depth_mm, theirs_d.depth_mm)


def test_importing_again_replaces_the_import_and_nothing_else(
    array: Path, calf: Path, tmp_path: Path
) -> None:
    out = tmp_path / "session"
    assert run(array, out, *THERMAL_ONLY, "--reflected-degc", "22") == 0
    first = (out / "thermal.npz").read_bytes()
    assert run(array, out, *THERMAL_ONLY, "--reflected-degc", "30") == 0
    assert (out / "thermal.npz").read_bytes() != first
    (out / "notes.txt").write_text("mine")
    assert run(array, out, *THERMAL_ONLY, "--reflected-degc", "22") == 2
    assert (out / "notes.txt").read_text() == "mine"


def test_the_effect_is_shown_and_kept_with_the_session(
    tiny: Callable[[], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tiny(), tmp_path / "session"
    text = (folder / "rig.toml").read_text().replace("emissivity = 0.98", "emissivity = 0.95  # as delivered")
    (folder / "rig.toml").write_text(text + "\n[validity]\ndays = 30\n")
    np.save(tmp_path / "t.npy", np.full((12, 12, 16), 20.0, np.float32))
    files = ["--colour", folder / "rgb.mp4", "--rig", folder / "rig.toml"]
    times = ["--every-s", "0.1", "--offset-s", "0.05"]
    assert run(tmp_path / "t.npy", out, *files, *times, *TREATED, *ROOM) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "emissivity" in shown
    assert "12 thermal pictures written, 19.95 to 19.95 degC, 0.0% of the pixels" in shown
    assert "+0.56" in shown, "2 degC reads 2.56 degC at 700 mm in a room of 22 degC"
    written = (out / "rig.toml").read_text()
    assert "emissivity = 0.98  # as delivered" in written
    assert "[validity]" in written, "what this version does not know stays"
    rig, _ = read_rig(written, where="rig.toml")
    assert rig.thermal is not None
    assert rig.thermal.corrected is not None
    assert rig.thermal.corrected.stated_degc[0] == (2.0, pytest.approx(2.56, abs=0.01))
    assert rig.thermal.rgb_minus_thermal_s == 0.0, "the offset that was said is in the times"
    assert open_recording(out).thermal_times_s[0] == pytest.approx(0.05)


def test_a_rig_of_an_import_can_be_used_again(tiny: Callable[[], Path], tmp_path: Path) -> None:
    folder = tiny()
    np.save(tmp_path / "t.npy", np.full((12, 12, 16), 20.0, np.float32))
    rig = folder / "rig.toml"
    for name in ("one", "two"):
        out = tmp_path / name
        times = ["--every-s", "0.1", "--offset-s", "0"]
        files = ["--colour", folder / "rgb.mp4", "--rig", rig]
        assert run(tmp_path / "t.npy", out, *files, *times, *TREATED, *ROOM) == 0
        rig = out / "rig.toml"
    assert rig.read_text().count("[thermal.corrected]") == 1


def test_what_the_camera_had_corrected_is_taken_out_first(array: Path, tmp_path: Path) -> None:
    """A camera set to 0.98 and 22 degC has done all of it already, but for the air."""
    room = ["--reflected-degc", "22", "--camera-emissivity", "0.98", "--camera-reflected-degc", "22"]
    out = tmp_path / "session"
    assert run(array, out, *THERMAL_ONLY, *room) == 0
    with np.load(out / "thermal.npz") as archive:
        assert np.unique(archive["centikelvin"]).tolist() == [29315]


def test_the_cold_hand_becomes_a_session_with_its_clipped_skin_unknown(
    shared_data: Path, tmp_path: Path
) -> None:
    """Real series, one picture a minute; values up to 5 (18.71 degC) are the end of the camera's scale."""
    pictures = tmp_path / "left"
    pictures.mkdir()
    for k in range(1, 41):
        name = f"left_{k}.Tif"
        (pictures / name).write_bytes((shared_data / "real" / "cold_hand" / name).read_bytes())
    scale = ["--degc-at-0", "18.4", "--degc-per-step", "0.0625", "--every-s", "60", "--offset-s", "0"]
    room = ["--reflected-degc", "23", "--distance-mm", "0", "--emissivity", "1", "--camera-emissivity", "1"]
    zone = ["--outline", "100,80 200,80 200,160", *TREATED]
    assert run(pictures, tmp_path / "out", *scale, *room, *zone) == 0
    with np.load(tmp_path / "out" / "thermal.npz") as archive:
        counts, t_s = archive["centikelvin"], archive["t_s"]
    assert t_s.tolist() == [60.0 * k for k in range(40)]
    known = counts[counts > 0]
    assert known.min() == 29192, "18.4 + 6 / 16 degC: value 6"
    assert (counts[0] == 0).mean() > 0.1
    assert (counts[39] == 0).mean() == pytest.approx(1600 / counts[39].size), "the colour bar alone"


def test_times_counted_from_1970_start_the_session_at_zero(tiny: Callable[[], Path], tmp_path: Path) -> None:
    folder, start_s = tiny(), 1_764_000_000.0
    rows = [f"{k},{start_s + 0.1 * k:.3f}\n" for k in range(12)]
    (tmp_path / "rgb.csv").write_text("index,t_s\n" + "".join(rows))
    (tmp_path / "t.csv").write_text(f"index,t_s\n0,{start_s + 0.05}\n1,{start_s + 0.15}\n")
    np.save(tmp_path / "t.npy", np.full((2, 12, 16), 20.0, np.float32))
    files = ["--colour", folder / "rgb.mp4", "--rgb-csv", tmp_path / "rgb.csv"]
    times = ["--thermal-csv", tmp_path / "t.csv"]
    assert run(tmp_path / "t.npy", tmp_path / "out", *files, *times, *TREATED, *ROOM) == 0
    recording = open_recording(tmp_path / "out")
    assert recording.rgb_times_s == pytest.approx(0.1 * np.arange(12), abs=1e-3)
    assert recording.thermal_times_s == pytest.approx([0.05, 0.15], abs=1e-3)


def test_the_colour_times_are_the_videos_own(tmp_path: Path) -> None:
    """A video of uneven rate: index over rate would be off by up to 0.3 s."""
    pictures_ms = [0, 33, 66, 300, 333, 500]
    with av.open(str(tmp_path / "c.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for k, ms in enumerate(pictures_ms):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * k, np.uint8), format="bgr24")
            frame.pts, frame.time_base = ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    np.save(tmp_path / "t.npy", np.full((3, 12, 16), 20.0, np.float32))
    times = ["--every-s", "0.1", "--offset-s", "0"]
    out = tmp_path / "out"
    assert run(tmp_path / "t.npy", out, "--colour", tmp_path / "c.mkv", *times, *TREATED, *ROOM) == 0
    rows = (out / "rgb.csv").read_text().splitlines()[1:]
    assert [round(1000 * float(row.split(",")[1])) for row in rows] == pictures_ms
    assert open_recording(out).frames == 6


def test_the_air_is_as_warm_as_the_room_where_that_is_said(array: Path, tmp_path: Path) -> None:
    options = list(THERMAL_ONLY)
    options[options.index("--distance-mm") + 1] = "2000"
    room = ["--reflected-degc", "20", "--room-degc", "30", "--humidity", "0.8"]
    assert run(array, tmp_path / "out", *options, *room) == 0
    with np.load(tmp_path / "out" / "thermal.npz") as archive:
        assert archive["centikelvin"].max() < 29315, "warm air on the way makes the picture read too warm"


def test_pictures_in_another_gain_mode_on_the_way_hold_no_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = np.full((3, 12, 16), 29_315, np.uint16)
    stack[1] = 2_932
    np.save(tmp_path / "t.npy", stack)
    out = tmp_path / "session"
    options = [*THERMAL_ONLY, "--reflected-degc", "22", "--gain", "high"]
    assert run(tmp_path / "t.npy", out, *options) == 0
    assert "1 pictures are no skin in a room" in " ".join(capsys.readouterr().out.split())
    with np.load(out / "thermal.npz") as archive:
        assert [bool(picture.any()) for picture in archive["centikelvin"]] == [True, False, True]


@pytest.fixture
def array(tmp_path: Path) -> Path:
    return small_array(tmp_path)
