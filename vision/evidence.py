"""All that is known of body and skin when a zone is to be placed."""

from __future__ import annotations

from dataclasses import dataclass

from models.capture import ThermalPicture
from models.sightings import Landmarks, Lost, NozzleSighting, TagPatch
from vision.depth import DepthPoints


@dataclass(frozen=True, eq=False)
class Evidence:
    """Gathered over the captures before the zone is placed."""

    t_s: float
    """When the skin was as the evidence shows it: time of the depth picture, else of the colour picture."""
    points: DepthPoints | None
    patches: tuple[TagPatch, ...]
    thermal: ThermalPicture | None
    nozzle: NozzleSighting | Lost
    landmarks: tuple[Landmarks, ...]
    subject_height_mm: float | None
