"""The alarm tones as WAV files, so that a technician can listen to them."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from guidance.alarms.tones import RATE_HZ, SOUNDS, repeated
from guidance.session import Sound
from models.geometry import Floats
from models.problems import InputError


def write_tones(folder: Path) -> tuple[Path, ...]:
    """Write one file for each sound: two bursts with the rest between them, 16 bits, mono.

    Args:
        folder: Made where it is missing; files of the same names are replaced.

    Returns:
        The files, most urgent first.

    Raises:
        InputError: If the folder cannot be written to.
    """
    out: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sound in SOUNDS:
            path = folder / f"{tone_name(sound)}.wav"
            path.write_bytes(wav(repeated(sound, bursts=2)))
            out.append(path)
    except OSError as error:
        raise InputError(
            f"Cannot write the tones to {folder} ({error.strerror}): name a folder that can be written to."
        ) from error
    return tuple(out)


def wav(samples: Floats) -> bytes:
    """Mono samples of -1..1 as the bytes of a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(np.round(32767.0 * samples).astype("<i2").tobytes())
    return file.getvalue()


def tone_name(sound: Sound) -> str:
    """Name of a sound, as its file is called."""
    return f"{sound.priority}-{sound.kind}{'-escalated' if sound.escalated else ''}"
