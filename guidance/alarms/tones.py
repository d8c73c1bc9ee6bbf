"""The sound of each alarm: bursts of pulses after IEC 60601-1-8, as samples.

The standard's own text was not read. Frequencies, partials and counts of pulses: makers' pages on it (PUI
Audio, NXP AN10875). Durations and rests: in the set that TI's DAC53401 data sheet calls compliant (high:
pulses of 80-150 ms, rest 2.55-3.80 s; medium: 130-200 ms, 2.60-4.00 s; low: 130-200 ms, 16 s). Spacing of
pulses, rise and fall, melodies and levels are our own choice, to be checked against its tables 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.session import Sound
from models.geometry import Floats

RATE_HZ = 48_000
RISE_SHARE = 0.15
"""Of a pulse, for the rise and for the fall: soft enough not to click, short enough to be sharp."""
PARTIALS_DB = (0.0, -1.0, -2.0, -4.0, -6.0, -9.0)
"""Level of the fundamental and its multiples: all within 15 dB, five of them or more at 300-4000 Hz."""

C4, D4, E4, F4, G4, C5 = 261.63, 293.66, 329.63, 349.23, 392.00, 523.25
"""Equal temperament, A4 = 440 Hz; all within 150-1000 Hz."""
MELODIES = {
    "physiological": (C4, D4, E4, F4, G4),  # rises: act on the patient
    "technical": (C5, C4, C4, C5, C4),  # falls: look after the equipment
}


@dataclass(frozen=True)
class Rhythm:
    """One burst and the rest after it."""

    pulse_s: float
    gaps_s: tuple[float, ...]
    """From the end of a pulse to the start of the next; one less than there are pulses."""
    rest_s: float
    """From the end of a burst to the start of the next."""
    level: float
    """Peak, 1 = full scale; a higher priority is never softer."""

    @property
    def starts_s(self) -> tuple[float, ...]:
        """Start of each pulse."""
        out = [0.0]
        for gap_s in self.gaps_s:
            out.append(out[-1] + self.pulse_s + gap_s)
        return tuple(out)

    @property
    def burst_s(self) -> float:
        """From the start of the first pulse to the end of the last."""
        return self.starts_s[-1] + self.pulse_s


_FIVE_S = (0.08, 0.08, 0.24, 0.08)
HIGH = Rhythm(0.12, (*_FIVE_S, 0.40, *_FIVE_S), 3.0, 0.9)
MEDIUM = Rhythm(0.16, (0.16, 0.16), 4.0, 0.6)
MEDIUM_ESCALATED = Rhythm(0.16, (0.16, 0.16), 2.6, 0.9)
LOW = Rhythm(0.16, (), 16.0, 0.4)

SOUNDS = (
    *(Sound(priority, kind) for priority in ("high", "medium", "low") for kind in MELODIES),
    *(Sound("medium", kind, escalated=True) for kind in MELODIES),
)
"""Everything that can sound."""


def rhythm(sound: Sound) -> Rhythm:
    """Pulses, rest and level of a sound."""
    if sound.priority == "medium":
        return MEDIUM_ESCALATED if sound.escalated else MEDIUM
    return HIGH if sound.priority == "high" else LOW


def burst(sound: Sound) -> Floats:
    """One burst, without the rest that follows.

    Args:
        sound: One of `SOUNDS`.

    Returns:
        Mono samples at `RATE_HZ`, -1..1, shape (n,).
    """
    form, melody = rhythm(sound), MELODIES[sound.kind]
    out = np.zeros(round(form.burst_s * RATE_HZ))
    for k, start_s in enumerate(form.starts_s):
        pulse = _pulse(melody[k % len(melody)], pulse_s=form.pulse_s)
        first = min(round(start_s * RATE_HZ), len(out) - len(pulse))
        out[first : first + len(pulse)] = form.level * pulse
    return out


def repeated(sound: Sound, *, bursts: int) -> Floats:
    """Bursts with the rest between them, as they sound while an alarm stands.

    Args:
        sound: One of `SOUNDS`.
        bursts: How many, at least one.

    Returns:
        As `burst`.
    """
    once, rest = burst(sound), np.zeros(round(rhythm(sound).rest_s * RATE_HZ))
    return np.concatenate([once, *([rest, once] * (bursts - 1))])


def _pulse(fundamental_hz: float, *, pulse_s: float) -> Floats:
    """One pulse of peak 1: partials under a raised-cosine rise and fall."""
    count = round(pulse_s * RATE_HZ)
    t_s = np.arange(count) / RATE_HZ
    tone = np.zeros(count)
    for k, level_db in enumerate(PARTIALS_DB):
        # Phases that grow with the square of the number keep the peak low (Schroeder 1970).
        phase_rad = np.pi * k * (k + 1) / len(PARTIALS_DB)
        tone += 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * (k + 1) * fundamental_hz * t_s - phase_rad)
    edge = round(RISE_SHARE * count)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    tone[:edge] *= rise
    tone[count - edge :] *= rise[::-1]
    return tone / np.abs(tone).max()
