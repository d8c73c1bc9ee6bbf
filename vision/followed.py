"""Where the body is that a chart was laid on, how well that is known, and who saw it last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.chart import PlacedChart, ZoneChart
from models.geometry import Floats, Pose
from models.sightings import BodyMotion, radius_95_mm
from vision.likeness import Likeness

HOLD_S = 0.15
"""So long after it was seen in colour a chart is still called placed (own choice): two pictures of a camera
that gives 15 a second may show nothing."""

HELD_LONGEST_S = 2.0
"""A place that nothing has confirmed for so long is no place: a patient turns over in two seconds."""

DEPTH_HOLD_S = 0.6
"""Depth still follows between two pictures of a camera that gives two a second."""

DEPTH_LONGEST_S = 10.0
"""So long depth alone holds a place (own choice): a camera that is plugged in again is back by then. A body
that slides along itself it does not see, so it is not believed for ever, however small the bound."""

PLACED_MM = 20.0
"""A picture in which nothing stands out follows no body: known worse than this, the chart is held. Measured
on three simulated sessions: at most 3.4 mm."""

HELD_LOST_MM = 40.0
"""Held this uncertain, the zone is lost: a third of the smallest zone's size."""


@dataclass(frozen=True, eq=False)
class BodyTrack:
    """Where the chart is now, and what is needed to follow it."""

    t_s: float
    rgb_from_chart: Pose
    velocity_mm_s: Floats
    """Of the chart's centre, rgb frame, shape (3,)."""
    covariance: Floats
    """9x9 (rotation vector, translation, velocity) about the chart's centre, rgb frame."""
    likeness: Likeness | None
    tags_chart_mm: tuple[tuple[int, Floats], ...]
    """Skin tags' centres in the chart frame, once seen."""
    recent_mm: tuple[tuple[float, Floats], ...]
    """(time, displacement of the chart's centre) over the last half second."""
    jump_mm: float
    """Largest motion of the centre within half a second."""
    matched: float
    """Share of visible cells that look as they did; NaN where the picture did not count."""
    followed_s: float
    """When the chart was last really followed, by whatever saw it."""
    in_colour_s: float
    """When it was last followed in colour, by the skin itself or by tags on it."""

    @property
    def state(self) -> str:
        """``placed`` where it was just now seen in colour and is well known, else ``held`` or ``lost``.

        Depth alone holds a chart: skin that slides along itself looks the same to it.
        """
        gone = self.t_s - self.followed_s > HELD_LONGEST_S or self.unseen_s > DEPTH_LONGEST_S
        if gone or self.u95_mm > HELD_LOST_MM:
            return "lost"
        return "placed" if self.unseen_s <= HOLD_S and self.u95_mm <= PLACED_MM else "held"

    @property
    def unseen_s(self) -> float:
        """How long it has not been followed in colour."""
        return self.t_s - self.in_colour_s

    @property
    def by_depth(self) -> bool:
        """Whether depth alone follows it now."""
        return self.unseen_s > HOLD_S and self.t_s - self.followed_s <= DEPTH_HOLD_S

    @cached_property
    def u95_mm(self) -> float:
        """95 % bound of the motion since the reference time."""
        return radius_95_mm(self.covariance[3:6, 3:6])

    @property
    def motion(self) -> BodyMotion:
        """What a recorder keeps, and `follow` takes in place of the witnesses."""
        return BodyMotion(
            self.rgb_from_chart,
            self.velocity_mm_s,
            self.covariance,
            self.matched,
            self.followed_s,
            self.in_colour_s,
        )

    def placed(self, chart: ZoneChart) -> PlacedChart:
        """The chart where it is now."""
        held = self.state != "placed"
        return PlacedChart(
            chart,
            self.rgb_from_chart,
            self.state,
            self.u95_mm,
            unseen_s=self.unseen_s if held and self.unseen_s > HOLD_S else 0.0,
            by_depth=self.by_depth,
        )

    @staticmethod
    def at_rest(t_s: float, covariance: Floats) -> BodyTrack:
        """A body that is seen at this time where its chart was laid, and does not move.

        Args:
            t_s: The time.
            covariance: See `covariance`.
        """
        return BodyTrack(
            t_s,
            Pose.identity(),
            np.zeros(3),
            covariance,
            likeness=None,
            tags_chart_mm=(),
            recent_mm=(),
            jump_mm=0.0,
            matched=1.0,
            followed_s=t_s,
            in_colour_s=t_s,
        )
