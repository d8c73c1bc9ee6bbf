"""References recorded by a live session are looked at as a folder of pictures is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.reference_looks import open_looks
from guidance.recording.recorder import Recorder
from models.capture import ThermalPicture
from models.problems import InputError
from tests.guidance.tiny_session import SEEN, capture, guidance, manifest


def recorded(path: Path, *, thermal: bool) -> Path:
    """12 s of 30.00 degC, the shutter closed from 6.0 to 6.5 s."""
    recorder = Recorder(path, manifest())
    for k in range(24):
        t_s = 0.5 * k
        picture = ThermalPicture(t_s, np.full((24, 32), 30315, np.uint16), shutter=t_s in (6.0, 6.5))
        now = replace(capture(0), t_s=t_s, index=k, thermal=(picture,) if thermal else ())
        recorder.take(now, SEEN, guidance(t_s))
    assert recorder.close().trouble == ""
    return path


def test_a_recording_is_parted_into_looks_at_the_shutter(tmp_path: Path) -> None:
    source = open_looks(recorded(tmp_path / "ice.mcap", thermal=True), unit=None, hz=None)
    looks = list(source.looks())
    assert (source.width_px, source.height_px) == (32, 24)
    assert [len(look.t_s) for look in looks] == [12, 10]
    assert looks[0].t_s[0] == 0.0
    assert looks[1].t_s[0] == 7.0
    assert looks[1].degc == pytest.approx(30.0)
    assert len(list(source.looks())) == 2, "a second pass begins anew"


def test_a_recording_without_thermal_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no thermal pictures"):
        open_looks(recorded(tmp_path / "dark.mcap", thermal=False), unit=None, hz=None)


def test_looks_of_a_recording_say_whether_the_shutter_closed_between_them_and_end_with_a_pause(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path / "ice.mcap", manifest())
    for k, t_s in enumerate([*np.arange(0.0, 3.0, 0.5), *np.arange(6.0, 12.0, 0.5)]):
        picture = ThermalPicture(float(t_s), np.full((24, 32), 30315, np.uint16), shutter=t_s in (8.0, 8.5))
        now = replace(capture(0), t_s=float(t_s), index=k, thermal=(picture,))
        recorder.take(now, SEEN, guidance(float(t_s)))
    assert recorder.close().trouble == ""
    looks = list(open_looks(tmp_path / "ice.mcap", unit=None, hz=None).looks())
    assert [(look.t_s[0], look.closings) for look in looks] == [(0.0, 0), (6.0, 0), (9.0, 1)]
