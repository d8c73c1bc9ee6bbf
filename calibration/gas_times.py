"""When gas flowed in a recording."""

from __future__ import annotations

import numpy as np

from vision.mcap_recording import McapRecording
from vision.source import Source


def gas_times(source: Source) -> tuple[tuple[float, float], ...]:
    """When gas flowed: by the session's header, or as the captures of a recording were told of it."""
    if source.treatment.valve_s is not None or not isinstance(source, McapRecording):
        return source.treatment.valve_s or ()
    found: list[tuple[float, float]] = []
    since_s, last_s = np.inf, 0.0
    for tick in source.ticks(pictures=False):
        capture = tick.capture
        if capture.gas_now and since_s == np.inf:
            since_s = capture.t_s - capture.gas_s
        elif not capture.gas_now and since_s < np.inf:
            found.append((since_s, last_s + capture.gas_s - source.gas_off_after_s))
            since_s = np.inf
        last_s = capture.t_s
    return (*found, (since_s, last_s)) if since_s < np.inf else tuple(found)
