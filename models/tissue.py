"""What skin is made of: layers with their heat properties, blood, and how thick the fat is where.

Every figure carries its published range and source. "Own" means: no published figure was found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.problems import InputError


@dataclass(frozen=True)
class Figure:
    """A property with the range that it was found in."""

    value: float
    low: float
    high: float
    source: str

    def __post_init__(self) -> None:
        """Check the order."""
        if not self.low <= self.value <= self.high:
            raise ValueError(f"A figure lies within its range: {self.low} <= {self.value} <= {self.high}.")

    def scaled(self, factor: float) -> Figure:
        """The same figure for another body, range included."""
        return Figure(self.value * factor, self.low * factor, self.high * factor, self.source)


@dataclass(frozen=True)
class Layer:
    """One layer, alike in all of its depth."""

    name: str
    thick_mm: Figure
    conducts_w_mk: Figure
    density_kg_m3: Figure
    heat_j_kgk: Figure
    perfusion_1_s: Figure
    """Volume of blood a volume of tissue and second, at rest and warm."""
    metabolism_w_m3: Figure


@dataclass(frozen=True, eq=False)
class Tissue:
    """Layers from the surface down to the core, whose temperature is kept.

    Told apart by identity, so that what was worked out for one is found again at once.
    """

    name: str
    layers: tuple[Layer, ...]
    core_degc: float
    arterial_degc: float
    blood_j_m3k: float
    """Heat capacity of a volume of blood."""

    @property
    def depth_mm(self) -> float:
        """Depth at which the core's temperature is kept."""
        return sum(layer.thick_mm.value for layer in self.layers)

    def with_fat(self, thick_mm: float) -> Tissue:
        """The same site with another thickness of fat."""
        fat = Figure(thick_mm, thick_mm, thick_mm, "set")
        layers = [replace(layer, thick_mm=fat) if layer.name == "fat" else layer for layer in self.layers]
        return replace(self, layers=tuple(layers))

    def with_perfusion(self, factor: float) -> Tissue:
        """The same site with more or less blood flow in every layer."""
        layers = [replace(one, perfusion_1_s=one.perfusion_1_s.scaled(factor)) for one in self.layers]
        return replace(self, layers=tuple(layers))


_PORCINE = "PMC5459687, tables 1 and 3 (thickness and density human, heat capacity porcine)"
_TABLES = "IT'IS tissue tables (expert knowledge)"
_RESTING = "expert knowledge: neutral surroundings"
_NONE = "none"

# Conductivity, density and heat capacity give the dermis an effusivity of 1100 W s^0.5 / (m2 K); whole skin
# was measured at 1150 to 1600 (PMC5459687). Low cools faster: the side on which a warning comes early.
_EPIDERMIS = Layer(
    "epidermis",
    Figure(0.1, 0.075, 0.15, _PORCINE),
    Figure(0.21, 0.21, 0.21, _PORCINE),
    Figure(1150.0, 1110.0, 1190.0, _PORCINE),
    Figure(3600.0, 3600.0, 3600.0, _PORCINE),
    Figure(0.0, 0.0, 0.0, _NONE),
    Figure(0.0, 0.0, 0.0, _NONE),
)
_DERMIS = Layer(
    "dermis",
    Figure(1.5, 1.0, 4.0, _PORCINE),
    Figure(0.33, 0.29, 0.37, _PORCINE),
    Figure(1116.0, 1116.0, 1116.0, _PORCINE),
    Figure(3260.0, 3224.0, 3300.0, _PORCINE),
    Figure(1.5e-3, 1.0e-3, 2.5e-3, _RESTING),
    Figure(370.0, 0.0, 740.0, _TABLES),
)
_FAT = Layer(
    "fat",
    Figure(8.0, 1.5, 30.0, "by site, see SITES"),
    Figure(0.19, 0.16, 0.22, _PORCINE),
    Figure(965.0, 960.0, 971.0, _PORCINE),
    Figure(2325.0, 2300.0, 2350.0, _PORCINE),
    Figure(4.5e-4, 3.0e-4, 6.0e-4, _RESTING),
    # No figure: left out. The whole metabolism of skin and muscle warms the surface by less than 1 degC.
    Figure(0.0, 0.0, 370.0, "own"),
)
_MUSCLE = Layer(
    "muscle",
    Figure(15.0, 10.0, 40.0, "own: deep enough that ten minutes of cooling do not reach its end"),
    Figure(0.49, 0.49, 0.49, _TABLES),
    Figure(1090.0, 1090.0, 1090.0, _TABLES),
    Figure(3420.0, 3420.0, 3420.0, _TABLES),
    Figure(7.0e-4, 5.0e-4, 10.0e-4, _TABLES),
    Figure(680.0, 340.0, 1360.0, _TABLES),
)

CORE_DEGC, ARTERIAL_DEGC = 37.0, 36.8
"""Core, and blood on its way to the skin (expert knowledge: 36.5-37 degC)."""

BLOOD_J_M3K = 1050.0 * 3617.0
"""Density times heat capacity of blood (expert knowledge)."""

SKIN = Tissue("skin", (_EPIDERMIS, _DERMIS, _FAT, _MUSCLE), CORE_DEGC, ARTERIAL_DEGC, blood_j_m3k=BLOOD_J_M3K)
"""A site with 8 mm of fat."""

_FOUND = "knee 3 mm, back of the hand below 2 mm, elsewhere up to 30 mm (PMC5459687)"
_OWN = "own estimate within the published 1.5 to 30 mm; people vary by more than sites do"

SITES: dict[str, Figure] = {
    "knee": Figure(3.0, 2.0, 8.0, _FOUND),
    "shoulder": Figure(6.0, 3.0, 15.0, _OWN),
    "elbow": Figure(3.0, 1.5, 8.0, _OWN),
    "wrist": Figure(2.0, 1.5, 5.0, _OWN),
    "hand": Figure(1.5, 1.0, 2.0, _FOUND),
    "hip": Figure(15.0, 5.0, 30.0, _OWN),
    "ankle": Figure(2.0, 1.5, 5.0, _OWN),
    "foot": Figure(4.0, 1.5, 10.0, _OWN),
    "achilles": Figure(2.0, 1.5, 5.0, _OWN),
    "calf": Figure(6.0, 3.0, 15.0, _OWN),
    "hamstring": Figure(10.0, 4.0, 25.0, _OWN),
    "quadriceps": Figure(8.0, 3.0, 20.0, _OWN),
    "buttock": Figure(20.0, 8.0, 30.0, _OWN),
    "lumbar": Figure(10.0, 3.0, 30.0, _OWN),
    "upper-back": Figure(8.0, 3.0, 20.0, _OWN),
    "neck": Figure(5.0, 2.0, 12.0, _OWN),
    "abdomen": Figure(18.0, 5.0, 30.0, _OWN),
    "thigh-cellulite": Figure(18.0, 8.0, 30.0, _OWN),
    "forehead": Figure(2.0, 1.5, 4.0, _OWN),
    "cheek": Figure(5.0, 2.0, 12.0, _OWN),
    "chin": Figure(4.0, 2.0, 10.0, _OWN),
    "temple": Figure(2.0, 1.5, 5.0, _OWN),
}
"""Thickness of the fat by zone of the catalogue, mm."""


def tissue_at(zone: str) -> Tissue:
    """The tissue under a zone of the catalogue.

    Raises:
        InputError: If nothing is known of such a zone.
    """
    if zone not in SITES:
        raise InputError(f"No fat thickness is known for zone {zone!r}: known zones are {', '.join(SITES)}.")
    layers = tuple(
        replace(layer, thick_mm=SITES[zone]) if layer.name == "fat" else layer for layer in SKIN.layers
    )
    return replace(SKIN, name=zone, layers=layers)
