"""A treatment with cameras rests on references of known temperature, as a recorded one does."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import numpy as np
import pytest

from guidance.camera_command import camera_room
from guidance.pipeline import step
from guidance.simulate import Wish, scene_of
from guidance.stages.state import begin
from guidance.treatment.camera_room import CameraRoom, Offered, RigOnDisk
from guidance.treatment.choice import Choice, Choices
from guidance.treatment.course import Course
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from models.problems import InputError
from models.rig_file import write_rig
from models.treatment import Reference
from tests.guidance.shown_target import NoEyes
from tests.timed_device import Start, TimedDevice, finder, unlike
from vision.cameras import COLOUR, THERMAL
from vision.recording import references_of
from vision.synthetic import captures
from vision.synthetic_rig import stated_rig, treatment_of

OFF_DEGC = -1.4
SCENE = replace(
    scene_of(Wish(seconds=1.0, reference_degc=33.0, camera_off_degc=OFF_DEGC)), thermal_noise_degc=0.05
)
TREATMENT = treatment_of(SCENE)
REFERENCES = TREATMENT.references


@cache
def seen() -> tuple[Any, ...]:
    return tuple(capture for capture, _ in captures(SCENE))


def of_skin(references: tuple[Reference, ...]) -> tuple[float, float]:
    """Temperature and bound of skin without gas after a second, median of the zone, as staged for cameras."""
    room = CameraRoom(
        cast(
            Any, SimpleNamespace(cameras=[SimpleNamespace(kind=kind) for kind in ("rgb", "thermal", "depth")])
        ),
        rig=RigOnDisk(stated_rig(SCENE), b"", "a" * 64),
        offered=Offered(Choices(load_zones(), load_devices(), load_protocols()), load_questions()),
        taps=TREATMENT.taps,
        references=references,
    )
    choice = Choice(TREATMENT.zone, TREATMENT.side, TREATMENT.device, TREATMENT.protocol)
    setup = room.stage(Course(choice=choice)).setup
    state = begin()
    for capture in seen():
        state, _ = step(state, capture, setup)
    assert state.on_skin is not None
    shown = state.on_skin.chart.in_zone & state.on_skin.skin.observed
    skin = state.on_skin.skin
    return float(np.median(skin.degc[shown])), float(np.median(skin.u95_degc[shown]))


def test_with_cameras_a_reference_tells_the_cameras_offset_and_narrows_the_bound() -> None:
    plain_degc, plain_u95 = of_skin(())
    degc, u95 = of_skin(REFERENCES)
    assert degc - plain_degc == pytest.approx(-OFF_DEGC, abs=0.3)
    assert u95 < 0.5 * plain_u95


def opened(folder: Path, references: tuple[Reference, ...], *, thermal: bool = True) -> CameraRoom:
    rig_file, start = folder / "rig.toml", Start()
    rig = replace(stated_rig(SCENE), depth=None)
    rig_file.write_text(write_rig(rig))
    assert rig.thermal is not None
    black = np.zeros((rig.rgb.height_px, rig.rgb.width_px, 3), np.uint8)
    even = np.full((rig.thermal.camera.height_px, rig.thermal.camera.width_px), 30000, np.uint16)
    devices = [
        TimedDevice(kind, [0.1 * k for k in range(30)], lambda k, one=one: unlike(one, k), start, hz=10.0)
        for kind, one in ((COLOUR, black), (THERMAL, even))
    ]
    with ExitStack() as stack:
        stack.enter_context(patch("guidance.camera_command.BodyEyes", NoEyes))
        room, _ = camera_room(
            stack,
            rig_file,
            thermal=thermal,
            listed=load_questions(),
            protocols=None,
            models_dir=None,
            checks=(),
            references=references,
            found=finder(*devices),
        )
        return room


def test_a_reference_outside_the_picture_is_refused_before_a_camera_is_opened(tmp_path: Path) -> None:
    outside = replace(REFERENCES[0], outline_px=REFERENCES[0].outline_px + 5000.0)
    with pytest.raises(
        InputError, match=r"--references: \[\[reference\]\] 1 lies outside the thermal picture"
    ):
        opened(tmp_path, (outside,))


def test_references_without_a_thermal_camera_are_told_to_be_of_no_use(tmp_path: Path) -> None:
    told = [check.words for check in opened(tmp_path, REFERENCES, thermal=False).checks]
    assert any("references are of no use" in words for words in told)


def test_a_file_of_references_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        references_of(tmp_path / "none.toml")
    assert references_of(None) is None
