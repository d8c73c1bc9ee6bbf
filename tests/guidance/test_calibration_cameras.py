"""A camera that is not there is told at the terminal, with what to do, before a page is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from guidance.calibrating import answering, live
from guidance.calibrating.answering import GONE_S, OPEN_S, await_cameras
from guidance.cli import main
from models.problems import InputError
from tests.guidance.test_calibration_flow import Fake
from vision.cameras import CameraState
from vision.connected import Connected


class Standing:
    """Cameras whose state changes with a clock that is wound by waiting."""

    def __init__(self, *cameras: tuple[str, str, float]) -> None:
        """Kind, state, and from when on it gives pictures."""
        self.cameras, self.t_s = cameras, 0.0

    def __call__(self) -> Sequence[CameraState]:
        return [
            CameraState(
                f"the {kind} one", kind, "ok" if self.t_s >= from_s else state, 0.0, None, f"{state}."
            )
            for kind, state, from_s in self.cameras
        ]

    def wait(self, needed: Sequence[str]) -> float:
        """For how long was waited."""
        await_cameras(self, needed, clock=lambda: self.t_s, sleep=self.sleep)
        return self.t_s

    def sleep(self, for_s: float) -> None:
        self.t_s += for_s


NEVER = float("inf")


def test_a_camera_that_cannot_be_opened_is_given_up_after_some_seconds() -> None:
    gone = Standing(("colour", "unplugged", NEVER))
    with pytest.raises(
        InputError, match=r"colour camera gives no pictures \(unplugged\); `cryoguide devices`"
    ):
        gone.wait(["colour"])
    assert gone.t_s == pytest.approx(GONE_S, abs=0.1)


def test_one_that_opens_slowly_is_waited_for_and_one_that_gives_nothing_is_not_waited_for_ever() -> None:
    assert Standing(("colour", "silent", 5.0)).wait(["colour"]) == pytest.approx(5.0, abs=0.1)
    assert Standing(("colour", "unplugged", 1.0)).wait(["colour"]) == pytest.approx(1.0, abs=0.1)
    mute = Standing(("thermal", "silent", NEVER))
    with pytest.raises(InputError, match="--thermal names it"):
        mute.wait(["thermal"])
    assert mute.t_s == pytest.approx(OPEN_S, abs=0.1)


def test_a_camera_that_nobody_needs_is_not_waited_for() -> None:
    both = Standing(("colour", "silent", 0.0), ("thermal", "unplugged", NEVER))
    assert both.wait(["colour"]) == 0.0


@pytest.mark.parametrize("stays", ["slow", "frozen"])
def test_a_camera_that_gives_bad_pictures_is_there_and_told_on_the_page(stays: str) -> None:
    assert Standing(("colour", stays, NEVER)).wait(["colour"]) == 0.0


def test_the_command_ends_with_a_sentence_and_a_code_and_serves_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "connected", lambda: [Connected(0, "colour")])
    monkeypatch.setattr(live, "driver_of", lambda one: named(one.name))
    monkeypatch.setattr(live, "every_camera", lambda _: [])
    monkeypatch.setattr(answering, "GONE_S", 0.1)
    monkeypatch.setattr(live, "serve", lambda *_, **__: pytest.fail("a page was served"))
    assert main(["calibrate", "live", "--rgb", "nosuch", "--port", "0", "--out", "rig.toml"]) == 2
    told = capsys.readouterr()
    assert "Page" not in told.out
    assert "nosuch is not there" in told.err
    assert "`cryoguide devices` lists what there is" in told.err
    assert told.err.strip().count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def named(name: str) -> Fake:
    """A camera of that name that is not there."""
    device = Fake("colour", absent=True)
    device.name = name
    return device
