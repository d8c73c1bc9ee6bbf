"""How well the clock of a stream is known against the session's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.geometry import Floats

LONGEST_U95_S = 0.08
"""No bound grows beyond this by drift: the rig checks itself while gas flows, and an offset of more than this
raises ``rig_mismatch`` (`guidance.alarms.judge`)."""


@dataclass(frozen=True)
class StreamClock:
    """Of the thermal or the depth camera, as ``cryoguide calibrate time`` measured it."""

    offset_s: float
    """Add to a stamp to get the exposure on the session clock; of the thermal camera that is
    ``rgb_minus_thermal_s``, and this is 0."""
    u95_s: float
    """95 % bound of the offset at `reference_s`."""
    drift: float = 0.0
    """Seconds to be added for each second after `reference_s`; 0 where it could not be told from 0."""
    drift_u95: float = 0.0
    reference_s: float = 0.0
    """Session time at which the offset holds as it stands."""

    def session_s(self, stamped_s: Floats) -> Floats:
        """Exposures on the session clock.

        Args:
            stamped_s: Stamps with any offset of the rig's other keys added.
        """
        t_s = stamped_s + self.offset_s
        return t_s + self.drift * (t_s - self.reference_s)

    def u95_at_s(self, t_s: float) -> float:
        """95 % bound of the time of a picture at a session time."""
        grown_s = math.hypot(self.u95_s, self.drift_u95 * (t_s - self.reference_s))
        return max(self.u95_s, min(grown_s, LONGEST_U95_S))
