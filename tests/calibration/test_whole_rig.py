"""One rig.toml through every step: what its certificate vouches for, and what a step done again ends."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from calibration.certificate import Certified, certificate_path, put_certificate
from calibration.check_certified import check_part
from calibration.check_parts import steps_part
from calibration.marks import TABLES
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, put_rig, read_tables, rig_text, table_of
from calibration.vouching import HOLDS, LAPSED, standings
from guidance.cli import main
from models.geometry import rotation_from_rvec
from models.nozzle_errors import AXIS, TIP
from models.rig_checked import CHECK_FILE, CheckedPart, RigChecked, write_checked
from models.rig_file import read_rig, write_rig
from models.validity import RESTS_ON
from tests.calibration.spin_scenes import Spinning
from tests.calibration.test_axis import spin_poses
from tests.calibration.test_pivot import Turning, poses_of, write_poses
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def lens(tables: Toml, k: int) -> None:
    """As `rgb` writes it."""
    rgb = table_of(tables, "rgb")
    rgb["fx_px"] = 1000.0 + 0.5 * k
    rgb["covariance"] = covariance_table(("fx_px",), np.array([[0.25]]))


def thermal(tables: Toml, k: int) -> None:
    table = table_of(tables, "thermal")
    table["cx_px"] = 127.5 + 0.1 * k
    table["covariance"] = covariance_table(("fx_px", "rx_rad"), np.diag([0.25, 1e-6]))


def depth(tables: Toml, k: int) -> None:
    table = table_of(tables, "depth")
    size = {"width_px": 640, "height_px": 480, "fx_px": 500.0, "fy_px": 500.0, "cx_px": 320.0, "cy_px": 240.0}
    stand = np.eye(4)
    stand[0, 3] = 20.0 + 0.1 * k
    table |= {**size, "distortion": [0.0] * 5, "depth_from_rgb": stand.tolist()}
    table["covariance"] = covariance_table(("fx_px", "tx_mm", "scale"), np.diag([1.0, 0.25, 1e-6]))


def spread(tables: Toml, k: int) -> None:
    figures = {
        "sigma_px": 0.7 + 0.01 * k,
        "u95_px": 0.02,
        "halo_share": 0.09,
        "halo_px": 7.0,
        "halo_u95": 0.01,
    }
    table_of(tables, "thermal")["spread"] = figures


def radiometry(tables: Toml, k: int) -> None:
    table_of(tables, "thermal")["radiometry"] = {
        "measured": NOW,
        "offset_degc": 1.2 + 0.1 * k,
        "at_degc": 16.0,
        "gain": 0.01,
        "drift_degc_per_min": 0.0,
        "residual_u95_degc": 0.2,
        "references_degc": [0.0, 33.0],
        "covariance": covariance_table(
            ("offset_degc", "gain", "drift_degc_per_min"), np.diag([0.01, 1e-5, 1e-4])
        ),
    }


def time(tables: Toml, k: int) -> None:
    table_of(tables, "thermal")["rgb_minus_thermal_s"] = -0.3 + 0.01 * k
    clock: Toml = {"u95_s": 0.002, "drift": 0.0, "drift_u95": 1e-4}
    tables["time"] = {"measured": NOW, "thermal": clock, "depth": clock | {"offset_s": 0.0}}


def collar(tables: Toml, k: int) -> None:
    nozzle = table_of(tables, "nozzle")
    rng = np.random.default_rng(k)
    for tag in nozzle["tag"]:  # type: ignore[attr-defined]
        tag["corners_nozzle_mm"] = (
            (np.array(tag["corners_nozzle_mm"]) + rng.normal(0.0, 0.2, 3)).round(5).tolist()
        )
    ids = [tag["id"] for tag in nozzle["tag"]]  # type: ignore[attr-defined]
    names = [f"tag{tag}_{axis}_mm" for tag in ids for axis in "xyz"]
    table_of(tables, "nozzle.collar")["covariance"] = covariance_table(names, 1e-4 * np.eye(len(names)))
    nozzle["scale"] = {"u95": 0.002}


def jet(tables: Toml, k: int) -> None:
    tables["jet"] = {
        "device": "ln2-wand", "half_mm": 8.0, "spread": 0.1, "film_w_m2k": 150.0 + k, "distance_mm": 100.0,
        "power": 0.5, "gas_degc": -70.0, "from_mm": 70.0, "to_mm": 150.0, "within_factor": 1.3,
    }  # fmt: skip


def tip(tables: Toml, k: int) -> None:
    """Moves the origin and leaves the axes."""
    nozzle = table_of(tables, "nozzle")
    for tag in nozzle["tag"]:  # type: ignore[attr-defined]
        tag["corners_nozzle_mm"] = (
            (np.array(tag["corners_nozzle_mm"]) - (0.1, 0.2, 0.1 * k)).round(9).tolist()
        )
    nozzle["covariance"] = covariance_table(TIP, 0.04 * np.eye(3))


def axis(tables: Toml, k: int) -> None:
    """Turns the frame about the tip."""
    nozzle, turn = table_of(tables, "nozzle"), rotation_from_rvec(np.array([0.002, 0.001 * k, 0.0]))
    for tag in nozzle["tag"]:  # type: ignore[attr-defined]
        tag["corners_nozzle_mm"] = (np.array(tag["corners_nozzle_mm"]) @ turn.T).round(9).tolist()
    table_of(tables, "nozzle.axis")["covariance"] = covariance_table(AXIS, 1e-6 * k * np.eye(2))


CHANGES: dict[str, Callable[[Toml, int], None]] = {
    "rgb": lens,
    "thermal": thermal,
    "depth": depth,
    "spread": spread,
    "radiometry": radiometry,
    "time": time,
    "collar": collar,
    "tip": tip,
    "axis": axis,
    "jet": jet,
}


class Bench:
    """A rig on a technician's bench."""

    def __init__(self, folder: Path) -> None:
        self.rig = folder / "rig.toml"
        self.folder = folder
        made = replace(real_rig(Scene(depth_hz=0.0)), created=NOW)
        self.rig.write_text(write_rig(made))
        self.k = 0

    def do(self, step: str, *, at: datetime = NOW) -> None:
        """One step, each time with another outcome."""
        self.k += 1
        tables = read_tables(self.rig)
        CHANGES[step](tables, self.k)
        part = Certified(step, TABLES[step], step, (), (), np.zeros((0, 0)), (), (), (), (), ())
        assert replace_rig(self.rig, tables, now=at, force=True, part=part)

    def all(self) -> None:
        for step in RESTS_ON:
            self.do(step)

    def states(self, *, now: datetime | None = None) -> dict[str, str]:
        told = standings(read_tables(self.rig), marks=None, now=now or datetime.now(UTC))
        return {one.name: one.state for one in told}

    def not_vouched_for(self) -> list[str]:
        """As the page has it: title of each."""
        page = certificate_path(self.rig).read_text()
        listed = re.search(r"Not vouched for:</p><ul>(.*?)</ul>", page)
        return (
            [unescape(one).split(":")[0] for one in re.findall(r"<li>(.*?)</li>", listed[1])]
            if listed
            else []
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_step_is_vouched_for_from_then_on_and_ends_nothing_that_was_found_before(bench: Bench) -> None:
    done: list[str] = []
    for step in RESTS_ON:
        bench.do(step)
        done.append(step)
        states = bench.states()
        assert [name for name in RESTS_ON if states.get(name) == HOLDS] == done
        page = certificate_path(bench.rig).read_text()
        assert all(f"<!-- part {one} of " in page for one in done)
        assert "It no longer holds" not in page
        assert len(bench.not_vouched_for()) == len([s for s in states.values() if s != HOLDS])
    assert bench.not_vouched_for() == []
    rig, warnings = read_rig(bench.rig.read_text(), where="rig.toml")
    assert warnings == ()
    assert rig.validity.lapsed() == ()
    assert rig.nozzle_errors.tip_mm2 is not None
    assert rig.nozzle_errors.axis_rad2 is not None


def test_tip_and_axis_by_their_commands_move_the_frame_and_end_nothing(bench: Bench) -> None:
    for step in ("rgb", "thermal", "collar"):
        bench.do(step)
    pivot = poses_of(Turning(tip_mm=(0.5, -0.4, 0.8), rotation_deg=0.1, cone_deg=25.0))
    tip = write_poses(bench.folder / "tip", pivot)
    spin = write_poses(bench.folder / "axis", spin_poses(Spinning(near_mm=(0.3, 0.0, 0.0))))
    for step, poses in (("tip", tip), ("axis", spin)):
        assert main(["calibrate", step, str(poses), "--rig", str(bench.rig)]) == 0
    bench.do("jet")
    held = [name for name, state in bench.states().items() if state == HOLDS]
    assert held == ["rgb", "thermal", "collar", "tip", "axis", "jet"]
    assert "It no longer holds" not in certificate_path(bench.rig).read_text()


def test_another_lens_ends_what_was_found_with_the_older_one_until_it_is_found_again(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.all()
    bench.do("rgb")
    gone = [name for name, state in bench.states().items() if state == LAPSED]
    assert gone == ["thermal", "depth", "collar", "tip", "axis", "jet"]
    assert (
        "thermal camera and its place: found with another lens of the colour camera"
        in capsys.readouterr().out
    )
    page = certificate_path(bench.rig).read_text()
    assert page.count("It no longer holds: ") == 6
    assert len(bench.not_vouched_for()) == 6
    part = steps_part(standings(read_tables(bench.rig), marks=None, now=NOW))
    assert part is not None
    assert part.state == "moved"
    assert part.again == tuple(gone)
    for k, step in enumerate(gone):
        bench.do(step)
        assert [name for name, state in bench.states().items() if state == LAPSED] == gone[k + 1 :]
    assert bench.not_vouched_for() == []


def test_a_part_that_no_longer_holds_is_no_better_than_a_new_one(bench: Bench) -> None:
    bench.all()
    bench.do("rgb")
    tables = read_tables(bench.rig)
    table = table_of(tables, "thermal")
    table["cx_px"] = 129.0
    table["covariance"] = covariance_table(("fx_px", "rx_rad"), np.diag([9.0, 1e-4]))
    part = Certified("thermal", "thermal", "t", (), (), np.zeros((0, 0)), (), (), (), (), ())
    assert replace_rig(bench.rig, tables, now=NOW, force=False, part=part)
    table["cx_px"] = 129.5
    table["covariance"] = covariance_table(("fx_px", "rx_rad"), np.diag([90.0, 1e-3]))
    assert not replace_rig(bench.rig, tables, now=NOW, force=False, part=part)


def test_a_part_that_was_changed_by_hand_is_told_by_the_rig_alone(bench: Bench) -> None:
    bench.all()
    text = bench.rig.read_text()
    bench.rig.write_text(re.sub(r"fx_px = 1000\.\d+", "fx_px = 1003.0", text, count=1))
    assert bench.states()["rgb"] == LAPSED
    assert bench.states()["thermal"] == HOLDS


def test_after_30_days_a_part_is_not_vouched_for(bench: Bench) -> None:
    for step in ("rgb", "thermal", "spread"):
        bench.do(step, at=NOW - timedelta(days=31 if step == "rgb" else 3))
    assert [name for name, state in bench.states(now=NOW).items() if state == LAPSED] == ["rgb"]
    rig, _ = read_rig(bench.rig.read_text(), where="rig.toml")
    assert rig.calibrated == NOW - timedelta(days=31)


def test_what_a_check_finds_moved_is_not_vouched_for_until_it_is_found_again(bench: Bench) -> None:
    bench.all()
    later = datetime.now(UTC) + timedelta(seconds=1)
    words = "the thermal camera is turned; do calibrate thermal again"
    checked = RigChecked(later, "0" * 64, (CheckedPart("cameras", "moved", words, ("thermal",)),))
    (bench.folder / CHECK_FILE).write_text(write_checked(checked))
    put_certificate(bench.rig, check_part(checked, "shown"), read_tables(bench.rig), now=later)
    assert bench.not_vouched_for() == ["thermal camera and its place"]
    bench.do("jet")
    assert bench.not_vouched_for() == ["thermal camera and its place"]
    assert "the rig was changed after it; check again" in certificate_path(bench.rig).read_text()
    bench.do("thermal", at=later + timedelta(seconds=1))
    assert bench.not_vouched_for() == ["jet of the device"]


def test_a_rig_of_an_older_version_is_taken_on_with_its_own_date(bench: Bench) -> None:
    """Its parts hold until something that they rest on is found again."""
    bench.all()
    tables = read_tables(bench.rig)
    del tables["validity"]
    put_rig(bench.rig, rig_text(tables, now=NOW), now=NOW)
    bench.do("time")
    assert set(bench.states().values()) == {HOLDS}
    tables = read_tables(bench.rig)
    del tables["validity"]
    put_rig(bench.rig, rig_text(tables, now=NOW), now=NOW)
    bench.do("rgb")
    gone = [name for name, state in bench.states().items() if state == LAPSED]
    assert gone == ["thermal", "depth", "collar", "tip", "axis", "jet"]


def test_depth_skin_tags_and_an_unmeasured_print_are_named_where_the_rig_has_them() -> None:
    tables = tomllib.loads(write_rig(real_rig(Scene())))
    tables["skin"] = {"dictionary": "DICT_APRILTAG_36h11", "size_mm": 24.0, "ids": [100]}
    told = [one.name for one in standings(tables, marks=None, now=NOW)]
    assert told == [*RESTS_ON, "scale", "depth time", "skin"]
