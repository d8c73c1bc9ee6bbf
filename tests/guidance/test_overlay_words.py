"""What the video says at its edges: each word of the legend whole, and of the zone what the console says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidance.overlay import legend, panels
from guidance.overlay.figures import Instrument
from guidance.overlay.ink import text_width_px
from guidance.overlay.picture import draw_overlay
from guidance.overlay.tiles import TILES
from guidance.session import Guidance
from guidance.treatment.figures import zone as zone_figure
from models.chart import PlacedChart
from models.geometry import Bytes
from models.protocol import Protocol
from tests.guidance.conftest import Scene


@pytest.mark.parametrize("size", [(720, 1280), (1080, 1920), (1280, 720)], ids=str)
def test_every_word_of_the_legend_ends_within_its_place(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """'limit reached' ended behind the picture's edge, as 'limit reach'."""
    ends_px: dict[str, float] = {}
    places_px: list[float] = []

    def write_down(_: Bytes, text: str, at: tuple[float, float], *, size: float, **more: object) -> None:
        ends_px[text] = at[0] + text_width_px(text, size=size)

    draw = legend.draw_legend_tile

    def drawn(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
        places_px.append(tile.area[2])
        draw(tile, guidance, protocol)

    monkeypatch.setattr(legend, "write", write_down)
    tiles = tuple(
        type(tile)(tile.width_px, tile.rank, drawn if tile.draw is draw else tile.draw) for tile in TILES
    )
    monkeypatch.setattr("guidance.overlay.tiles.TILES", tiles)
    picture = np.full((*size, 3), 128, np.uint8)
    draw_overlay(picture, scene.guidance(), rig=scene.rig, protocol=scene.protocol, zone=scene.zone)
    assert set(ends_px) >= {words for words, _ in legend.PATTERNS}
    assert [words for words, end_px in ends_px.items() if end_px > places_px[0] + 1.0] == []


@pytest.mark.parametrize(("place_u95_mm", "word"), [(5.0, "PLACED"), (50.0, "ROUGH"), (np.nan, "ROUGH")])
def test_a_zone_whose_place_is_known_roughly_is_said_to_be_so_as_on_the_console(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, place_u95_mm: float, word: str
) -> None:
    """Landmarks know a place to 50 mm: the video called it PLACED, in green, and the console ROUGH."""
    guidance = scene.guidance()
    assert isinstance(guidance.zone, PlacedChart)
    chart = replace(guidance.zone.chart, place_u95_mm=place_u95_mm)
    guidance = replace(guidance, zone=replace(guidance.zone, chart=chart))
    said: list[str] = []
    monkeypatch.setattr(panels, "write", lambda _, text, *at, **more: said.append(text))
    picture = np.full((720, 1280, 3), 128, np.uint8)
    draw_overlay(picture, guidance, rig=scene.rig, protocol=scene.protocol, zone=scene.zone)
    assert zone_figure(guidance)["words"] == word
    assert [text for text in said if text.startswith((f"{word} (", "PLACED ("))] == [f"{word} (depth)"]
