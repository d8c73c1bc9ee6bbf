"""Pictures corrected and stored: what is written is what the physics says, and unknown stays unknown."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.radiation import Air, Band, Surroundings, seen_degc
from vision.streams import open_stack
from vision.thermal_formats import open_thermal
from vision.thermal_source import Reading, Told, float_scale, whole_number_scale
from vision.thermal_store import Correction, Corrector, centikelvin, write_thermal

ROOM = Surroundings(0.98, 22.0, Air(22.0, 0.5), 0.7)
NAMES = ("200_deg_neutral", "BillHotFlashThermography", "IR_Fussbodenheizung", "Videocamera_Termica")


@pytest.mark.parametrize("name", NAMES)
def test_real_pictures_corrected_as_stored_agree_with_the_makers_tool(shared_data: Path, name: str) -> None:
    """Tolerance 0.001 degC on every pixel; measured: 0.00050, half the last digit of the maker's table."""
    folder = shared_data / "real" / "flir_rjpeg"
    source = open_thermal(folder / f"{name}.jpg", Told())
    reading = next(source.read())
    assert reading is not None
    assert source.stored is not None
    degc = Correction(source.stored, None).degc(reading.scale.degc(reading.values), reading.scale.curve)
    assert np.abs(degc - np.loadtxt(folder / f"{name}.csv", delimiter="\t")).max() < 0.001


def test_what_is_written_is_the_skin_that_was_seen(tmp_path: Path) -> None:
    """Tolerance: half a count of the camera and of the file, 0.01 degC together."""
    skin = np.linspace(0.0, 34.0, 192).reshape(12, 16)
    seen = seen_degc(skin, curve=Band(), around=ROOM)
    np.save(tmp_path / "t.npy", np.rint((seen + 273.15) * 100.0).astype(np.uint16)[None])
    source = open_thermal(tmp_path / "t.npy", Told("centikelvin"))
    t_s, flag = np.array([0.25]), np.array([True])
    written = write_thermal(tmp_path / "t.npz", source, t_s=t_s, flag=flag, correction=Correction(ROOM, None))
    stack = open_stack(tmp_path / "t.npz", where="", values="centikelvin", flag=True)
    (picture,) = stack.read()
    assert picture is not None
    np.testing.assert_allclose(picture / 100.0 - 273.15, skin, atol=0.011)
    assert (stack.t_s.tolist(), stack.flag.tolist(), stack.warnings) == ([0.25], [True], ())
    assert (written.low_degc, written.high_degc) == (
        pytest.approx(0.0, abs=0.02),
        pytest.approx(34.0, abs=0.02),
    )


def test_a_file_that_becomes_shorter_holds_no_readings_instead_of_old_ones(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.full((2, 12, 16), 20.0, np.float32))
    source = open_thermal(tmp_path / "t.npy", Told())
    t_s, flag = np.array([0.0, 0.1, 0.2]), np.zeros(3, bool)
    out = tmp_path / "t.npz"
    written = write_thermal(out, source, t_s=t_s, flag=flag, correction=Correction(ROOM, None))
    assert (written.pictures, written.damaged) == (3, 1)
    assert written.without_reading == pytest.approx(1 / 3)


def test_no_reading_stays_none() -> None:
    correct = Corrector(Correction(ROOM, None))
    assert correct(Reading(np.array([[0, 29_315]], np.uint16), whole_number_scale("centikelvin")))[0, 0] == 0
    assert correct(Reading(np.array([[np.nan, 20.0]]), float_scale("degc")))[0, 0] == 0
    assert centikelvin(np.array([np.nan, np.inf, -273.15, -274.0, 400.0])).tolist() == [0, 0, 0, 0, 0]


def test_pixels_without_a_reading_do_not_count_towards_the_middle_of_a_picture(tmp_path: Path) -> None:
    """Most of each picture holds no reading; the rest is skin and stays."""
    stack = np.zeros((2, 12, 16), np.uint16)
    stack[:, :4] = 30_000
    np.save(tmp_path / "t.npy", stack)
    source = open_thermal(tmp_path / "t.npy", Told("centikelvin"))
    t_s, flag = np.array([0.0, 0.1]), np.zeros(2, bool)
    correction = Correction(ROOM, None)
    written = write_thermal(tmp_path / "t.npz", source, t_s=t_s, flag=flag, correction=correction)
    assert (written.implausible, written.without_reading) == (0, pytest.approx(2 / 3))


@given(
    degc=st.floats(-20.0, 45.0),
    emissivity=st.floats(0.8, 1.0),
    camera_emissivity=st.floats(0.8, 1.0),
    reflected=st.floats(0.0, 40.0),
)
def test_the_cameras_own_correction_is_undone_whatever_it_was(
    degc: float, emissivity: float, camera_emissivity: float, reflected: float
) -> None:
    """What a camera states with its own settings leads back to the skin. Tolerance: the band's table."""
    around = Surroundings(emissivity, reflected, Air(22.0, 0.5), 0.7)
    camera = Surroundings(camera_emissivity, 25.0, Air(25.0, 0.0), 0.0)
    correction = Correction(around, camera)
    stated = correction.stated_degc(degc, Band())
    assert correction.degc(np.array([stated]), Band())[0] == pytest.approx(degc, abs=1e-3)


def test_tables_and_direct_correction_agree() -> None:
    """Whole numbers go through a table, floating-point ones directly."""
    correct = Corrector(Correction(ROOM, None))
    counts = np.arange(26_000, 31_000, 7, dtype=np.uint16).reshape(1, -1)
    by_table = correct(Reading(counts, whole_number_scale("centikelvin")))
    direct = correct(Reading(counts / 100.0, float_scale("kelvin")))
    assert np.array_equal(by_table, direct)
