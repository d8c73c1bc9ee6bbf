"""Claims about the tones, each measured on the waveform; and that the measuring finds wrong ones."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from guidance.alarms.tones import RATE_HZ, SOUNDS, burst, repeated, rhythm
from guidance.cli import main
from guidance.session import Sound
from models.geometry import Floats

PULSES = {"high": 10, "medium": 3, "low": 1}
# Source: data sheet of TI's DAC53401, which gives them as compliant with the standard.
PULSE_S = {"high": (0.080, 0.150), "medium": (0.130, 0.200), "low": (0.130, 0.200)}
REST_S = {"high": (2.55, 3.80), "medium": (2.60, 4.00), "low": (15.9, 16.1)}
EDGE_S = 0.002
"""How far an edge measured at a few percent of the peak lies inside the pulse."""


def spans(samples: Floats) -> list[tuple[int, int]]:
    """First and last sample of each pulse: parts above 0.2 % of the peak, breaks below 5 ms bridged."""
    loud = np.flatnonzero(np.abs(samples) > 0.002 * np.abs(samples).max())
    breaks = np.flatnonzero(np.diff(loud) > 0.005 * RATE_HZ)
    return list(zip(loud[[0, *(breaks + 1)]].tolist(), loud[[*breaks, -1]].tolist(), strict=True))


def partials(pulse: Floats) -> tuple[Floats, Floats]:
    """Frequencies and levels (dB, 0 = the strongest) of the peaks of a spectrum, down to -20 dB."""
    spectrum = np.abs(np.fft.rfft(pulse * np.hanning(len(pulse)), n=2**17))
    inside = spectrum[1:-1]
    top = np.flatnonzero((inside > spectrum[:-2]) & (inside >= spectrum[2:])) + 1
    db = 20.0 * np.log10(spectrum[top] / spectrum.max())
    return top[db > -20.0] * RATE_HZ / 2**17, db[db > -20.0]


def edges_s(pulse: Floats) -> tuple[float, float]:
    """From 10 % to 90 % of the pulse's peak, and back, on an envelope over 4 ms."""
    width = round(0.004 * RATE_HZ)
    blocks = np.lib.stride_tricks.sliding_window_view(np.abs(pulse), width)[:: width // 8]
    envelope = blocks.max(axis=1) / np.abs(pulse).max()
    low, high = np.flatnonzero(envelope > 0.1), np.flatnonzero(envelope > 0.9)
    tick_s = (width // 8) / RATE_HZ
    return (high[0] - low[0]) * tick_s, (low[-1] - high[-1]) * tick_s


def faults(samples: Floats, priority: str) -> set[str]:
    """What is wrong with two bursts and the rest between them."""
    found: set[str] = set()
    flat = (np.abs(samples[1:]) >= 0.9999 * np.abs(samples).max()) & (np.diff(samples) == 0.0)
    if np.abs(samples).max() >= 1.0 or flat.any():
        found.add("clipping")
    pulses = spans(samples)
    count = PULSES[priority]
    if len(pulses) != 2 * count:
        return {*found, "count"}
    rest_s = (pulses[count][0] - pulses[count - 1][1]) / RATE_HZ
    if not REST_S[priority][0] - EDGE_S <= rest_s <= REST_S[priority][1] + EDGE_S:
        found.add("rest")
    for first, last in pulses[:count]:
        pulse = samples[first : last + 1]
        length_s = len(pulse) / RATE_HZ
        if not PULSE_S[priority][0] - EDGE_S <= length_s <= PULSE_S[priority][1] + EDGE_S:
            found.add("length")
        if not all(0.05 * length_s <= edge_s <= 0.4 * length_s for edge_s in edges_s(pulse)):
            found.add("edges")
        hz, db = partials(pulse)
        if not 150.0 <= hz[0] <= 1000.0 or db[0] < -15.0:
            found.add("fundamental")
        if ((hz >= 300.0) & (hz <= 4000.0) & (db >= -15.0)).sum() < 4:
            found.add("partials")
    return found


@pytest.mark.parametrize("sound", SOUNDS, ids=str)
def test_every_tone_measures_as_the_standard_wants(sound: Sound) -> None:
    assert faults(repeated(sound, bursts=2), sound.priority) == set()


def sine(
    hz: float, *, pulse_s: float = 0.16, gap_s: float = 0.16, rest_s: float = 4.0, ramp: bool = True
) -> Floats:
    """A medium alarm of pure sines; every part of it can be wrong."""
    t_s = np.arange(round(pulse_s * RATE_HZ)) / RATE_HZ
    shape = np.minimum(1.0, np.minimum(t_s, pulse_s - t_s) / (0.15 * pulse_s)) if ramp else 1.0
    pulse, gap = 0.6 * np.sin(2.0 * np.pi * hz * t_s) * shape, np.zeros(round(gap_s * RATE_HZ))
    once = np.concatenate([pulse, gap, pulse, gap, pulse])
    return np.concatenate([once, np.zeros(round(rest_s * RATE_HZ)), once])


GOOD = repeated(Sound("medium", "physiological"), bursts=2)
WRONG = {
    "a pure sine": (sine(400.0), {"partials"}),
    "too shrill": (sine(1500.0), {"fundamental", "partials"}),
    "square edges": (sine(400.0, ramp=False), {"partials", "edges"}),
    "pulses too long": (sine(400.0, pulse_s=0.3), {"partials", "length"}),
    "bursts too close": (sine(400.0, rest_s=1.0), {"partials", "rest"}),
    "clipped": (np.clip(4.0 * GOOD, -1.0, 1.0), {"clipping"}),
    "a pulse missing": (GOOD[round(0.3 * RATE_HZ) :], {"count"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_measuring_finds_a_wrong_tone(name: str) -> None:
    samples, wrong = WRONG[name]
    assert faults(samples, "medium") >= wrong


def test_a_burst_of_one_priority_is_not_taken_for_another() -> None:
    high = repeated(Sound("high", "physiological"), bursts=2)
    assert faults(high, "medium") == {"count"}
    assert faults(GOOD, "high") == {"count"}


@pytest.mark.parametrize("kind", ["physiological", "technical"])
def test_a_high_burst_is_five_tones_twice(kind: str) -> None:
    samples = burst(Sound("high", kind))
    tones = [partials(samples[first : last + 1])[0][0] for first, last in spans(samples)]
    assert tones[:5] == pytest.approx(tones[5:], abs=1.0)
    starts = [first for first, _ in spans(samples)]
    assert np.argmax(np.diff(starts)) == 4  # the break between the two is the longest


def test_a_higher_priority_is_never_softer() -> None:
    def rms(priority: str) -> float:
        samples = burst(Sound(priority, "physiological"))
        first, last = spans(samples)[0]
        return float(np.sqrt(np.mean(samples[first:last] ** 2)))

    assert rms("high") > rms("medium") > rms("low")


def test_kinds_differ_from_the_first_pulse_on() -> None:
    for priority in PULSES:
        patient, equipment = (burst(Sound(priority, kind)) for kind in ("physiological", "technical"))
        first = [partials(samples[slice(*spans(samples)[0])])[0][0] for samples in (patient, equipment)]
        assert abs(np.log2(first[0] / first[1])) > 0.5  # half an octave


def test_what_nobody_heeds_sounds_oftener_and_louder() -> None:
    calm, urgent = (rhythm(Sound("medium", "technical", escalated)) for escalated in (False, True))
    assert urgent.rest_s < calm.rest_s
    assert urgent.level > calm.level
    assert urgent.starts_s == calm.starts_s


def test_the_command_writes_files_that_hold_the_tones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tones", "--out", str(tmp_path / "tones")]) == 0
    files = [Path(line) for line in capsys.readouterr().out.split()]
    assert len(files) == len(SOUNDS) == len(set(files))
    with wave.open(str(tmp_path / "tones" / "high-physiological.wav"), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0
    assert faults(samples, "high") == set()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert main(["tones", "--out", str(tmp_path / "file")]) == 2
    assert "name a folder that can be written to" in capsys.readouterr().err
