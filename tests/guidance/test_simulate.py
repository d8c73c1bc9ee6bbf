"""The command that draws a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from guidance import simulate
from guidance.cli import main
from guidance.simulate import Wish, scene_of
from models.catalogue import load_zones
from models.problems import InputError
from vision.synthetic_rig import real_rig, stated_rig, treatment_of
from vision.synthetic_scene import Scene

ZONES = sorted(load_zones())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("skin_tags", [False, True])
def test_every_zone_can_be_simulated_with_its_outline_in_the_picture(zone: str, skin_tags: bool) -> None:
    scene = scene_of(Wish(zone=zone, skin_tags=skin_tags))
    (tap,) = treatment_of(scene).taps
    assert real_rig(scene).rgb.inside(tap.outline_px).all()
    assert (stated_rig(scene).depth is None) == skin_tags
    assert scene.side in load_zones()[zone].sides


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--seconds", "0"], "--seconds is 0"),
        (["--lag-ms", "1e9"], "--lag-ms is 1"),
        (["--tag-placement-mm", "-1"], "--tag-placement-mm is -1"),
        (["--zone", "nose"], "nose"),
    ],
)
def test_a_wish_out_of_range_is_one_sentence_and_nothing_is_written(
    option: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(tmp_path / "out"), *option]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("cryoguide: ")
    assert words in said
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_scene_with_the_errors_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[tuple[Scene, Path]] = []
    monkeypatch.setattr(
        simulate, "write_session", lambda scene, folder, on_progress: written.append((scene, folder))
    )
    wishes = "--seconds 5 --shift-mm 30 --at-s 2 --turn-thermal-deg 1 --lag-ms 150 --tag-placement-mm 0.2"
    assert main(["simulate", str(tmp_path / "out"), *wishes.split(), "--focal-error-pct", "0.3"]) == 0
    ((scene, folder),) = written
    assert folder == tmp_path / "out"
    assert scene.motion.shift_mm == (0.0, 30.0, 0.0)
    assert scene.motion.shift_at_s == 2.0
    assert scene.seconds == 5.0
    errors = scene.errors
    assert errors.thermal_lag_s == pytest.approx(0.15)
    assert (errors.thermal_turn_deg, errors.tag_placement_mm, errors.focal_pct) == (1.0, 0.2, 0.3)
    assert str(folder / "truth") in capsys.readouterr().out.replace("\n", "")


def test_a_body_of_a_trunk_is_as_flat_as_the_zone_says() -> None:
    body = scene_of(Wish(zone="lumbar")).body
    assert body.across_mm**2 / body.deep_mm == pytest.approx(load_zones()["lumbar"].radius_mm)
    with pytest.raises(InputError):
        scene_of(Wish(zone="lumbar", shift_mm=1e6))
