"""Bad input gets one clear sentence; what can be worked around gets a warning."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.problems import InputError
from vision.recording import open_recording


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def thermal_with(folder: Path, **changes: np.ndarray) -> None:
    with np.load(folder / "thermal.npz") as archive:
        arrays = dict(archive)
    np.savez(folder / "thermal.npz", allow_pickle=True, **(arrays | changes))


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def csv_row(folder: Path, row: int, text: str) -> None:
    lines = (folder / "rgb.csv").read_text().splitlines()
    lines[row] = text
    (folder / "rgb.csv").write_text("\n".join(lines))


T24 = np.arange(24) * 0.05 - 0.3

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no session.toml": (lambda f: (f / "session.toml").unlink(), "not a session folder"),
    "empty session.toml": (lambda f: (f / "session.toml").write_text(""), "session.toml is empty"),
    "binary session.toml": (lambda f: (f / "session.toml").write_bytes(b"\xff\xfe\x00"), "not UTF-8"),
    "broken session.toml": (lambda f: (f / "session.toml").write_text("a = ["), "not valid TOML"),
    "unknown zone": (lambda f: swap(f / "session.toml", '"knee"', '"nose"'), "zone is 'nose'"),
    "unknown protocol": (lambda f: swap(f / "session.toml", '"ln2-analgesia"', '"x"'), "'x'; use one of ln2"),
    "unknown key": (lambda f: swap(f / "session.toml", "[streams]", "mood = 3\n[streams]"), "mood is not a"),
    "both knees": (lambda f: swap(f / "session.toml", '"left"', '"both"'), "one of left, right"),
    "other session schema": (lambda f: swap(f / "session.toml", "session/1", "session/2"), "session/2"),
    "valve backwards": (lambda f: swap(f / "session.toml", "to_s = 0.65", "to_s = 0.05"), "not after from_s"),
    "tap of two points": (lambda f: swap(f / "session.toml", ", [40, 40]", ""), "at least 3"),
    "tap outside": (
        lambda f: swap(f / "session.toml", "[[20, 20], [40, 20], [40, 40]]", "[[90, 9], [95, 9], [95, 20]]"),
        "lies outside the rgb picture",
    ),
    "stream outside the folder": (
        lambda f: swap(f / "session.toml", '"rgb.mp4"', '"../rgb.mp4"'), "inside the session folder",
    ),
    "no streams": (
        lambda f: (f / "session.toml").write_text(
            (f / "session.toml").read_text().split("[streams]")[0] + "[streams]\n"
        ),
        "neither colour nor thermal",
    ),
    "other rig schema": (lambda f: swap(f / "rig.toml", "rig/1", "rig/9"), "rig/9"),
    "empty rig": (lambda f: (f / "rig.toml").write_text("\n"), "rig.toml is empty"),
    "unknown rig key": (lambda f: swap(f / "rig.toml", "rms_px", "rms"), r"rms is not a known key"),
    "video missing": (lambda f: (f / "rgb.mp4").unlink(), "rgb.mp4 is missing"),
    "video empty": (lambda f: (f / "rgb.mp4").write_bytes(b""), "rgb.mp4 is empty"),
    "video cut": (lambda f: cut(f / "rgb.mp4", 0.5), "cut off or damaged"),
    "video is text": (lambda f: (f / "rgb.mp4").write_text("hello " * 99), "cannot be read as a video"),
    "fewer pictures than rows": (
        lambda f: (f / "rgb.csv").write_text("index,t_s\n" + "".join(f"{k},{k / 10}\n" for k in range(20))),
        "12 pictures of 20",
    ),
    "csv empty": (lambda f: (f / "rgb.csv").write_text(""), "header index,t_s"),
    "csv without rows": (lambda f: (f / "rgb.csv").write_text("index,t_s\n"), "no rows"),
    "csv with words": (lambda f: csv_row(f, 3, "2,soon"), "row 4"),
    "csv short row": (lambda f: csv_row(f, 3, "2"), "row 4"),
    "times backwards": (lambda f: csv_row(f, 5, "4,0.1"), "row 6 runs backwards"),
    "time not finite": (lambda f: csv_row(f, 5, "4,nan"), "row 6 is not a finite time"),
    "time in another unit": (lambda f: csv_row(f, 12, "11,1e9"), "more than an hour"),
    "thermal missing": (lambda f: (f / "thermal.npz").unlink(), "thermal.npz is missing"),
    "thermal empty": (lambda f: (f / "thermal.npz").write_bytes(b""), "thermal.npz is empty"),
    "thermal cut": (lambda f: cut(f / "thermal.npz", 0.7), "it is cut off or no npz archive"),
    "thermal is no archive": (
        lambda f: (np.save(f / "x.npy", np.zeros(3)), (f / "x.npy").replace(f / "thermal.npz")), "no npz",
    ),
    "thermal without pixels": (
        lambda f: thermal_with(f, centikelvin=np.zeros((24, 0, 16), np.uint16)), "must be uint16",
    ),
    "thermal of another size": (
        lambda f: thermal_with(f, centikelvin=np.full((24, 24, 32), 30000, np.uint16)), "32 x 24.*16 x 12",
    ),
    "thermal in degrees": (
        lambda f: thermal_with(f, centikelvin=np.full((24, 12, 16), 30.0)), "must be uint16",
    ),
    "thermal and times differ": (lambda f: thermal_with(f, t_s=T24[:-1]), r"shape \(23, height, width\)"),
    "thermal backwards": (lambda f: thermal_with(f, t_s=T24[::-1]), "t_s row 1 runs backwards"),
    "thermal time nan": (lambda f: thermal_with(f, t_s=T24 * np.nan), "not a finite time"),
    "thermal of another day": (lambda f: thermal_with(f, t_s=T24 + 500), "do not meet in time"),
    "flags too few": (lambda f: thermal_with(f, flag=np.zeros(3)), "one value a picture"),
    "pickled array": (
        lambda f: thermal_with(f, t_s=np.array([None] * 24, dtype=object)), "cut off or damaged",
    ),
    "colour of another size": (lambda f: swap(f / "rig.toml", "width_px = 64", "width_px = 32"), "64 x 48"),
    "depth of another size": (lambda f: swap(f / "rig.toml", "width_px = 14", "width_px = 7"), "14 x 10"),
    "depth missing": (lambda f: (f / "depth.npz").unlink(), "depth.npz is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(tiny: Callable[[], Path], name: str) -> None:
    folder = tiny()
    spoil, told = BAD[name]
    spoil(folder)

    with pytest.raises(InputError) as trouble:
        open_recording(folder)

    sentence = str(trouble.value)
    assert re.search(told, sentence)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "tiny" in sentence, "it says where"


def test_a_file_or_nothing_is_not_a_session(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    with pytest.raises(InputError, match="is a file"):
        open_recording(folder / "rgb.mp4")
    with pytest.raises(InputError, match="does not exist"):
        open_recording(folder / "none")


def test_a_right_session_has_no_warnings(tiny: Callable[[], Path]) -> None:
    recording = open_recording(tiny())
    assert recording.warnings == ()
    assert (recording.name, recording.frames, recording.width_px, recording.height_px) == ("tiny", 12, 64, 48)
    assert recording.has_thermal
    assert recording.has_depth
    assert recording.thermal_times_s == pytest.approx(np.arange(24) * 0.05)


WORKED_AROUND: dict[str, tuple[Callable[[Path], object], str]] = {
    "no rig": (lambda f: (f / "rig.toml").unlink(), "rig.toml is missing"),
    "no table of streams": (
        lambda f: swap(
            f / "session.toml",
            '[streams]\nrgb = "rgb.mp4"\nthermal = "thermal.npz"\ndepth = "depth.npz"\n',
            "",
        ),
        "usual names",
    ),
    "no flags": (
        lambda f: np.savez(f / "thermal.npz", t_s=T24, centikelvin=np.full((24, 12, 16), 30000, np.uint16)),
        "without shutter events",
    ),
    "no csv": (lambda f: (f / "rgb.csv").unlink(), "own time stamps"),
    "one picture short": (
        lambda f: (f / "rgb.csv").write_text("index,t_s\n" + "".join(f"{k},{k / 10}\n" for k in range(13))),
        "last 1 of 13 pictures",
    ),
    "one row short": (
        lambda f: (f / "rgb.csv").write_text("index,t_s\n" + "".join(f"{k},{k / 10}\n" for k in range(11))),
        "1 pictures have no row",
    ),
    "a time twice": (lambda f: csv_row(f, 5, "4,0.3"), "1 pictures have the time of the one before"),
    "a thermal time twice": (lambda f: thermal_with(f, t_s=np.maximum(T24, -0.25)), "1 pictures have"),
    "a valve after the end": (
        lambda f: swap(f / "session.toml", "from_s = 0.25\nto_s = 0.65", "from_s = 25\nto_s = 65"),
        "25 to 65 s lies outside",
    ),
    "unknown table in the rig": (
        lambda f: (f / "rig.toml").write_text((f / "rig.toml").read_text() + "\n[validity]\ndays = 30\n"),
        r"\[validity\] is not known",
    ),
    "a name": (lambda f: swap(f / "session.toml", "[str", 'subject = "Ann Bee"\n[str'), "never a name"),
    "a tap after the end": (lambda f: swap(f / "session.toml", "t_s = 0.0", "t_s = 900"), "places nothing"),
    "a tap after the gas": (lambda f: swap(f / "session.toml", "t_s = 0.0", "t_s = 0.7"), "no gas counts"),
    "device of another protocol": (lambda f: swap(f / "session.toml", "ln2-wand", "co2"), "device is co2"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKED_AROUND)
def test_what_can_be_worked_around_gets_a_warning(tiny: Callable[[], Path], name: str) -> None:
    folder = tiny()
    spoil, told = WORKED_AROUND[name]
    spoil(folder)

    recording = open_recording(folder)

    assert any(re.search(told, warning) for warning in recording.warnings), recording.warnings
    assert len(list(recording.captures())) >= 11


def test_a_thermal_only_session_needs_an_outline_in_the_thermal_picture(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    swap(folder / "session.toml", 'rgb = "rgb.mp4"\n', "")
    swap(folder / "session.toml", "[[tap]]", '[[tap]]\nstream = "thermal"')
    swap(folder / "session.toml", "[[20, 20], [40, 20], [40, 40]]", "[[2, 2], [9, 2], [9, 9]]")
    captures = list(open_recording(folder).captures())
    assert sum(len(capture.thermal) for capture in captures) == 24
    assert all(capture.bgr is None and capture.index is None for capture in captures)

    swap(folder / "session.toml", 'stream = "thermal"', 'stream = "rgb"')
    with pytest.raises(InputError, match="no outline tapped in the thermal picture"):
        open_recording(folder)


def test_the_csv_index_says_which_picture_belongs_to_a_row(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    whole = [capture.bgr for capture in open_recording(folder).captures()]
    rows = [k for k in range(12) if k not in (4, 5)]
    (folder / "rgb.csv").write_text("index,t_s\n" + "".join(f"{k},{k / 10}\n" for k in rows))
    kept = [capture.bgr for capture in open_recording(folder).captures() if capture.index is not None]
    assert len(kept) == 10
    for picture, row in zip(kept, rows, strict=True):
        expected = whole[row]
        assert picture is not None
        assert expected is not None
        assert np.array_equal(picture, expected)


def test_an_index_with_holes_and_a_picture_a_row_go_together_in_order(tiny: Callable[[], Path]) -> None:
    folder = tiny()
    numbers = [*range(6), *range(9, 15)]
    (folder / "rgb.csv").write_text("index,t_s\n" + "".join(f"{k},{k / 10}\n" for k in numbers))
    captures = [capture for capture in open_recording(folder).captures() if capture.index is not None]
    assert [capture.index for capture in captures] == list(range(12))
    assert all(capture.bgr is not None for capture in captures)
    assert captures[6].t_s == pytest.approx(0.9)


def test_sample_and_recording_open_without_warnings(lumbar: Path, calf: Path) -> None:
    for folder, frames in ((lumbar, 300), (calf, 150)):
        recording = open_recording(folder)
        assert recording.warnings == ()
        assert recording.frames == frames
        assert recording.has_depth


def test_sample_and_recording_stay_small(lumbar: Path, calf: Path) -> None:
    def size(folder: Path) -> int:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    assert size(lumbar) <= 12e6
    assert size(calf) <= 6e6
    assert not (lumbar / "truth").exists()


def test_lossless_video_gives_the_pictures_of_the_npz(lumbar: Path, twin: Callable[[str], Path]) -> None:
    recording = open_recording(lumbar)
    original = open_recording(twin("s1-lumbar-ln2"))
    for ours, theirs in ((recording.thermal, original.thermal), (recording.depth, original.depth)):
        assert ours is not None
        assert theirs is not None
        assert ours.t_s == pytest.approx(theirs.t_s, abs=1e-6)
        for picture, expected in zip(ours.read(), theirs.read(), strict=True):
            assert picture is not None
            assert expected is not None
            assert np.array_equal(picture, expected)


def test_a_truncated_lossless_video_is_refused(calf: Path, tmp_path: Path) -> None:
    folder = tmp_path / "calf"
    shutil.copytree(calf, folder)
    cut(folder / "thermal.mkv", 0.6)
    with pytest.raises(InputError, match=r"calf/thermal\.mkv is cut off"):
        open_recording(folder)


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz`")
@pytest.mark.parametrize("name", ["thermal.npz", "rgb.mp4", "rgb.csv", "session.toml", "rig.toml"])
def test_a_file_with_damaged_bytes_is_read_or_refused_with_a_sentence(
    tiny: Callable[[], Path], name: str
) -> None:
    folder = tiny()
    whole = (folder / name).read_bytes()
    random = np.random.default_rng(len(whole))
    for _ in range(40):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 12)):
            damaged[at] = random.integers(0, 256)
        (folder / name).write_bytes(damaged[: len(whole) // random.integers(1, 3)])
        try:
            captures = list(open_recording(folder).captures())
        except InputError as trouble:
            assert str(trouble).endswith(".")  # noqa: PT017 - reading it is as good as refusing it
        else:
            assert captures


def test_a_link_that_leads_back_to_itself_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Python's own word for it is a RuntimeError."""
    loop = tmp_path / "session"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match="does not exist"):
        open_recording(loop)
