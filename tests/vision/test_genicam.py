"""GenICam by harvesters with Viky, the test producer of its bindings. No real camera was at hand."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vision.cameras import COLOUR, THERMAL, DeviceGoneError, WrongFormatError
from vision.every_camera import Wanted, genicam_cameras
from vision.genicam_camera import GenicamBus, GenicamCamera, producers

# --- the library with its test producer ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def viky() -> Iterator[GenicamBus]:
    core = pytest.importorskip("harvesters.core", reason="needs the extra `genicam`")
    file = Path(pytest.importorskip("genicam").__file__).parent / "viky.cti"
    if not file.exists():
        pytest.skip("this build of genicam brings no test producer")
    bus = GenicamBus(core, [file])
    yield bus
    bus.close()


def camera(bus: GenicamBus, **more: Any) -> GenicamCamera:
    return GenicamCamera(bus, bus.look()[0][0], name="Viky", kind=COLOUR, **more)


def test_the_producers_cameras_are_listed_and_known_by_kind(viky: GenicamBus) -> None:
    found = viky.look()
    assert len(found) == 3
    assert found[0][1].endswith("Viky")
    assert viky.kind(found[0][0]) == COLOUR


def test_pictures_come_in_our_order_at_the_cameras_rate_and_differ(viky: GenicamBus) -> None:
    device = camera(viky)
    device.open()
    try:
        pictures = [device.read() for _ in range(6)]
    finally:
        device.close()
        device.close()
    assert device.hz == 20.0
    assert pictures[0].pixels.shape == (400, 400, 3)
    assert pictures[0].pixels.dtype == np.uint8
    assert not np.array_equal(pictures[1].pixels, pictures[5].pixels)
    times_s = [picture.at_s for picture in pictures]
    assert times_s == sorted(times_s)


def test_a_camera_that_was_opened_leaves_ctrl_c_to_the_program(viky: GenicamBus) -> None:
    before = signal.getsignal(signal.SIGINT)
    viky.kind(viky.look()[0][0])
    assert signal.getsignal(signal.SIGINT) is before


def test_a_size_that_the_camera_does_not_give_is_a_wrong_format(viky: GenicamBus) -> None:
    device = camera(viky, size_px=(1280, 720))
    device.open()
    try:
        with pytest.raises(WrongFormatError, match="instead of 1280 x 720"):
            device.read()
    finally:
        device.close()


def test_a_camera_may_be_opened_again_and_one_that_is_not_there_is_told(viky: GenicamBus) -> None:
    other = camera(viky)
    for _ in range(2):
        other.open()
        other.read()
        other.close()
    with pytest.raises(DeviceGoneError, match="plug it in"):
        GenicamCamera(viky, "nowhere", name="no", kind=COLOUR).open()
    with pytest.raises(DeviceGoneError):
        other.read()


def test_cameras_are_found_by_the_producers_that_are_installed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "maker.cti").touch()
    assert producers(f"{tmp_path}/a:{tmp_path}/none:") == [tmp_path / "a" / "maker.cti"]
    assert genicam_cameras(Wanted(), files=[]) == []


# --- formats that the test producer lacks, by a stand-in ----------------------------------------------------


class StandIn:
    """harvesters as far as the driver uses it: one camera with one format."""

    def __init__(self, form: str, data: np.ndarray, size: tuple[int, int], **nodes: Any) -> None:
        self.form, self.data, self.size = form, data, size
        self.gone = self.taken = False
        self.nodes = SimpleNamespace(
            PixelFormat=SimpleNamespace(symbolics=(form,), value=form),
            **nodes,
        )
        self.nodes.has_node = lambda name: hasattr(self.nodes, name)
        self.remote_device = SimpleNamespace(node_map=self.nodes)
        self.device_info_list = [SimpleNamespace(id_="one", vendor="Maker", model="Model")]

    def Harvester(self) -> StandIn:  # noqa: N802
        return self

    def update(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def destroy(self) -> None: ...

    def create(self, index: int) -> StandIn:
        if self.taken:
            raise RuntimeError("access denied")
        return self

    def fetch(self, timeout: float) -> Any:
        if self.gone:
            raise TimeoutError
        component = SimpleNamespace(
            height=self.size[0], width=self.size[1], data=self.data.reshape(-1), data_format=self.form
        )
        buffer = SimpleNamespace(payload=SimpleNamespace(components=[component]))

        class Fetched:
            def __enter__(self) -> Any:
                return buffer

            def __exit__(self, *_: object) -> None: ...

        return Fetched()


def read(stand_in: StandIn, *, kind: str = COLOUR) -> np.ndarray:
    bus = GenicamBus(stand_in, [])
    device = GenicamCamera(bus, "one", name="M", kind=kind)
    device.open()
    return device.read().pixels


@pytest.mark.parametrize("form", ["BayerRG8", "BayerGB8", "BayerGR8", "BayerBG8"])
def test_a_red_scene_is_red_by_whichever_pattern(form: str) -> None:
    """The first two letters are the first two pixels of the first row."""
    rows = {"RG": "RG GB", "GB": "GB RG", "GR": "GR BG", "BG": "BG GR"}[form[5:7]].split()
    raw = np.tile(np.array([[200 * (c == "R") for c in row] for row in rows], np.uint8), (8, 8))
    pixels = read(StandIn(form, raw, (16, 16)))
    assert pixels[8, 8].tolist() == [0, 0, 200]


def test_three_and_four_channels_come_in_our_order() -> None:
    rgb = np.tile(np.array([1, 2, 3], np.uint8), (4, 4, 1))
    assert read(StandIn("RGB8", rgb, (4, 4)))[0, 0].tolist() == [3, 2, 1]
    assert read(StandIn("BGR8", rgb, (4, 4)))[0, 0].tolist() == [1, 2, 3]
    rgba = np.tile(np.array([1, 2, 3, 4], np.uint8), (4, 4, 1))
    assert read(StandIn("RGBa8", rgba, (4, 4)))[0, 0].tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("form", "per_count"), [("TemperatureLinear10mK", 1), ("TemperatureLinear100mK", 10)]
)
def test_linear_temperature_becomes_centikelvin(form: str, per_count: int) -> None:
    counts = np.full((4, 4), 30315 // per_count, np.uint16)
    ir = SimpleNamespace(symbolics=("Radiometric", form), value="Radiometric")
    stand_in = StandIn("Mono16", counts, (4, 4), IRFormat=ir)
    assert GenicamBus(stand_in, []).kind("one") == THERMAL
    assert read(stand_in, kind=THERMAL)[0, 0] == 30315 // per_count * per_count
    assert ir.value == form


def test_a_camera_without_colour_or_linear_temperature_is_refused_in_words() -> None:
    grey = np.zeros((4, 4), np.uint8)
    with pytest.raises(WrongFormatError, match="Mono8"):
        read(StandIn("Mono8", grey, (4, 4)))
    with pytest.raises(WrongFormatError, match="linear temperature"):
        read(
            StandIn("Mono16", grey, (4, 4), IRFormat=SimpleNamespace(symbolics=("Radiometric",))),
            kind=THERMAL,
        )


def test_a_camera_that_goes_while_it_is_read_is_told_and_comes_back() -> None:
    stand_in = StandIn("BGR8", np.zeros((4, 4, 3), np.uint8), (4, 4))
    device = GenicamCamera(GenicamBus(stand_in, []), "one", name="M", kind=COLOUR)
    stand_in.taken = True
    with pytest.raises(DeviceGoneError, match="in use"):
        device.open()
    stand_in.taken = False
    device.open()
    stand_in.gone = True
    with pytest.raises(DeviceGoneError, match="check its cable"):
        device.read()
    device.close()
    stand_in.gone = False
    device.open()
    assert device.read().pixels.shape == (4, 4, 3)
