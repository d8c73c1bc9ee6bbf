"""The overlay shows what was measured, marks what was not, and leaves the picture alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidance.overlay import figures as overlay_figures
from guidance.overlay import panels as overlay_panels
from guidance.overlay.ink import dashes, fitted, plain, text_width_px, wrapped, write
from guidance.overlay.mesh import cell_mesh
from guidance.overlay.palette import MAGENTA, RED, VERMILLION, bgr
from guidance.overlay.picture import draw_overlay, draw_thermal
from guidance.overlay.skin import footprint_ring
from guidance.overlay.states import cell_states
from guidance.session import Alarm, Announcement, Guidance, SweepGuide
from models.capture import ThermalPicture
from models.geometry import Bytes, Pose
from models.jet_profile import JetProfile
from models.rig import Rig
from models.sightings import Lost
from models.skin_estimate import MEASURED, PREDICTED, UNOBSERVED, CellTemperatures
from tests.guidance.conftest import Scene


def drawn(scene: Scene, guidance: Guidance, picture: Bytes | None = None, rig: Rig | None = None) -> Bytes:
    source = scene.picture if picture is None else picture
    return draw_overlay(source, guidance, rig=rig or scene.rig, protocol=scene.protocol, zone=scene.zone)


def near(picture: Bytes, colour: tuple[int, int, int], tolerance: int = 24) -> np.ndarray:
    return np.abs(picture.astype(int) - np.array(bgr(colour))).max(axis=2) <= tolerance


def skin_part(picture: Bytes) -> Bytes:
    return picture[60:600]


def test_the_input_picture_is_left_untouched(scene: Scene) -> None:
    before = scene.picture.copy()
    out = drawn(scene, scene.guidance())
    assert np.array_equal(scene.picture, before)
    assert out.shape == before.shape
    assert not np.shares_memory(out, scene.picture)


def test_unknown_cells_have_their_own_look(scene: Scene) -> None:
    seen, lost = drawn(scene, scene.guidance()), drawn(scene, scene.lost())
    assert near(skin_part(lost), MAGENTA).sum() > near(skin_part(seen), MAGENTA).sum() + 500


def test_an_unknown_cell_never_takes_a_colour_of_the_exposure_ramp(scene: Scene) -> None:
    states = cell_states(scene.lost(), protocol=scene.protocol, cells=len(scene.chart))
    assert states.unknown.any()
    assert (states.level[states.unknown] == 0).all()
    assert not (states.unknown & states.unseen).any()


def test_a_cell_stays_unknown_after_the_nozzle_is_seen_again(scene: Scene) -> None:
    guidance = scene.guidance()
    assert guidance.exposure is not None
    assert guidance.blind is not None
    assert not guidance.blind.any()
    states = cell_states(guidance, protocol=scene.protocol, cells=len(scene.chart))
    blind = guidance.exposure.blind_gas_s > 0.5
    assert (states.unknown | states.over)[blind].all()


def test_cells_at_a_limit_are_marked_even_where_they_are_unknown_too(scene: Scene) -> None:
    guidance = scene.lost()
    states = cell_states(guidance, protocol=scene.protocol, cells=len(scene.chart))
    assert guidance.exposure is not None
    assert states.over[np.nanargmin(guidance.exposure.min_degc)]
    assert near(skin_part(drawn(scene, guidance)), VERMILLION, 40).sum() > 100


def test_skin_without_exposure_keeps_its_colour(scene: Scene) -> None:
    out = drawn(scene, scene.guidance())
    far = np.s_[500:600, 100:200]
    assert np.array_equal(out[far], scene.picture[far])


def test_a_treated_cell_whose_temperature_was_never_seen_is_hatched(scene: Scene) -> None:
    guidance = scene.guidance()
    assert guidance.exposure is not None
    unseen = replace(guidance.exposure, min_degc=np.full(len(scene.chart), np.nan))
    states = cell_states(replace(guidance, exposure=unseen), protocol=scene.protocol, cells=len(scene.chart))
    treated = (unseen.dwell_s > 0.05) & ~states.over & ~states.unknown
    assert treated.any()
    assert states.unseen[treated].all()


def known_as(scene: Scene, status: int) -> CellTemperatures:
    """Every cell known in one way."""
    n = len(scene.chart)
    return CellTemperatures(np.full(n, 20.0), np.full(n, 2.0), np.full(n, status))


def test_measured_predicted_and_unobserved_cells_differ_by_pattern_and_not_by_colour_alone(
    scene: Scene,
) -> None:
    """Counted where the exposure's colours, which all three share, cannot be what differs: in grey."""
    pictures = [
        skin_part(drawn(scene, scene.guidance(known=known_as(scene, status)))).mean(axis=2)
        for status in (MEASURED, PREDICTED, UNOBSERVED)
    ]
    for k in range(3):
        for other in pictures[:k]:
            assert (np.abs(pictures[k] - other) > 40.0).sum() > 300


def test_before_any_gas_the_zone_shows_how_it_is_known(scene: Scene) -> None:
    guidance = scene.guidance(known=known_as(scene, UNOBSERVED), gas_now=False, weight=None, exposure=None)
    chart = scene.chart
    states = cell_states(guidance, protocol=scene.protocol, cells=len(chart), in_zone=chart.in_zone)
    assert (states.unseen == (chart.in_zone & ~states.unknown)).all()
    predicted = replace(guidance, known=known_as(scene, PREDICTED))
    states = cell_states(predicted, protocol=scene.protocol, cells=len(chart), in_zone=chart.in_zone)
    assert (states.predicted == (chart.in_zone & ~states.unknown)).all()
    assert not states.unseen.any()


def test_cells_predicted_under_the_jet_are_not_called_unseen(scene: Scene) -> None:
    guidance = scene.guidance(known=known_as(scene, PREDICTED))
    assert guidance.weight is not None
    states = cell_states(guidance, protocol=scene.protocol, cells=len(scene.chart))
    under = (guidance.weight > 0.05) & ~states.over & ~states.unknown
    never = np.isnan(guidance.exposure.min_degc) if guidance.exposure is not None else None
    assert never is not None
    assert states.predicted[under & ~never].all()


@pytest.mark.parametrize(
    ("advice", "word"), [("too slow", "FASTER"), ("too fast", "SLOWER"), ("let it rewarm", "MOVE OFF")]
)
def test_the_panel_says_what_to_do_about_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, advice: str, word: str
) -> None:
    said: list[str] = []

    def write_down(picture: Bytes, text: str, *rest: object, **more: object) -> None:
        said.append(text)

    monkeypatch.setattr(overlay_figures, "write", write_down)
    slowest = np.inf if advice == "let it rewarm" else 1.0
    sweep = SweepGuide(8.0, slowest, 2.0, 3.0, 10.0, 5.0, advice)
    drawn(scene, scene.guidance(sweep=sweep))
    assert word in said
    assert ("let skin rewarm" if slowest == np.inf else "keep 3-10 cm/s") in said


@pytest.mark.parametrize(("speed_cm_s", "alarming"), [(0.0, True), (0.9, True), (2.0, False), (5.0, False)])
def test_a_sweep_slower_than_the_skin_bears_is_red_and_one_slower_than_the_protocol_is_not(
    scene: Scene, speed_cm_s: float, alarming: bool
) -> None:
    advice = "too slow" if speed_cm_s < 3.0 else ""
    sweep = SweepGuide(8.0, 1.0, 2.0, 3.0, 10.0, speed_cm_s, advice)
    calm = SweepGuide(8.0, 1.0, 2.0, 3.0, 10.0, 5.0, "")
    strip = np.s_[-92:]
    red = near(drawn(scene, scene.guidance(sweep=sweep))[strip], overlay_figures.ALARMING).sum()
    usual = near(drawn(scene, scene.guidance(sweep=calm))[strip], overlay_figures.ALARMING).sum()
    assert (red > usual + 50) == alarming


def test_no_instrument_is_cut_off_at_its_width(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def write_down(picture: Bytes, text: str, *rest: object, **more: object) -> None:
        said.append(text)

    monkeypatch.setattr(overlay_figures, "write", write_down)
    for advice in ("too slow", "let it rewarm"):
        sweep = SweepGuide(8.0, np.inf if advice[0] == "l" else 12.0, 2.0, 12.0, 12.5, 5.0, advice)
        for left_s in (0.4, 70.0, None):
            drawn(scene, scene.guidance(sweep=sweep, time_to_limit_s=left_s, skin_min_degc=2.4))
    assert [text for text in said if text.endswith("...")] == []


def test_a_stop_is_larger_than_any_other_alarm(scene: Scene) -> None:
    def red(kind: str, message: str) -> int:
        alarm = Alarm("skin_temperature", kind, "high", message, 7.0)
        return int(near(drawn(scene, scene.guidance(active=(alarm,)))[:200], RED).sum())

    assert red("physiological", "STOP: skin at 1.4 °C") > 1.5 * red("technical", "Nozzle not seen")


def test_a_paused_sound_is_shown_counting_down(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def write_down(picture: Bytes, text: str, *rest: object, **more: object) -> None:
        said.append(text)

    monkeypatch.setattr(overlay_panels, "write", write_down)
    for left_s in (None, 119.2, 0.3):
        drawn(scene, replace(scene.guidance(), announcement=Announcement(pause_left_s=left_s)))
    assert [text for text in said if "OFF" in text and " s" in text] == ["OFF 120 s", "OFF 1 s"]


def test_alarms_move_away_from_a_zone_at_the_upper_edge(scene: Scene) -> None:
    alarm = Alarm("skin_temperature", "physiological", "high", "STOP: close the valve", 7.0)
    high = scene.placed(rgb_from_chart=Pose.of(np.eye(3), np.array([0.0, -160.0, 0.0])))
    out = drawn(scene, scene.guidance(zone=high, active=(alarm,)))
    assert near(out[500:640], RED).sum() > near(out[:200], RED).sum()


def test_a_lost_zone_is_said_in_the_picture(scene: Scene) -> None:
    lost = scene.guidance(
        zone=Lost("no body in the picture", 0.0), exposure=None, skin=None, weight=None, blind=None
    )
    out = drawn(scene, replace(lost, jet=None, tile_time_s=None))
    assert (out[330:400] != scene.picture[330:400]).any()


def test_without_a_rig_there_is_an_outline_and_no_millimetre(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[str] = []

    def heard(picture: Bytes, text: str, at: tuple[float, float], **how: object) -> None:
        words.append(text)
        write(picture, text, at, **how)  # type: ignore[arg-type]

    for module in ("figures", "panels", "tiles"):
        monkeypatch.setattr(f"guidance.overlay.{module}.write", heard)
    pixel = scene.guidance(
        zone=scene.pixel_zone(), jet=None, exposure=None, skin=None, weight=None, blind=None, tile_time_s=None
    )
    out = draw_overlay(scene.picture, pixel, rig=None, protocol=scene.protocol, zone=scene.zone)
    assert (out[250, 500:760] != scene.picture[250, 500:760]).any(axis=1).mean() > 0.9
    assert any("no millimetres" in text for text in words)
    assert not any(text.endswith(" mm") for text in words)


def test_what_is_not_known_is_said_in_words(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def heard(picture: Bytes, text: str, at: tuple[float, float], **how: object) -> None:
        words.append(text)

    for module in ("panels", "tiles", "figures"):
        monkeypatch.setattr(f"guidance.overlay.{module}.write", heard)
    drawn(scene, scene.lost())
    assert words.count("not known") >= 2
    assert "not seen" in words
    assert any(text.startswith("LOST 0.6 s") for text in words)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (1280, 720), (192, 256)])
def test_every_picture_size_is_drawn(scene: Scene, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 128, np.uint8)
    out = drawn(
        scene, scene.guidance(active=(Alarm("distance", "physiological", "medium", "x " * 90, 1.0),)), picture
    )
    assert out.shape == picture.shape


def test_a_chart_behind_the_camera_draws_nothing_and_does_not_fail(scene: Scene) -> None:
    behind = scene.placed(rgb_from_chart=Pose.of(np.eye(3), np.array([0.0, 0.0, -5000.0])))
    out = drawn(scene, scene.guidance(zone=behind, jet=None))
    assert np.array_equal(out[60:300], scene.picture[60:300])


def test_neighbouring_cells_share_their_corners(scene: Scene) -> None:
    mesh = cell_mesh(scene.chart)
    assert len(mesh.vertex_mm) == 49 * 63
    side = np.linalg.norm(mesh.corner_mm[:, 1] - mesh.corner_mm[:, 0], axis=1)
    np.testing.assert_allclose(side, 5.0, atol=0.02)  # chord of a 5 mm arc of 110 mm radius: 4.9996 mm


def test_the_zone_outline_follows_its_edge_within_a_cell(scene: Scene) -> None:
    (loop,) = cell_mesh(scene.chart).zone
    angle = np.arctan2(-loop.points_mm[:, 0], 810.0 - loop.points_mm[:, 2])
    u, v = angle * 110.0, -loop.points_mm[:, 1]
    assert np.abs(np.hypot(u / 95.0, v / 70.0) - 1.0).max() < 5.0 / 70.0


def test_the_ring_is_that_of_a_measured_jet_only_for_the_device_it_was_measured_on(scene: Scene) -> None:
    def with_jet(device: str) -> Rig:
        jet = JetProfile(device, 20.0, 0.2, 180.0, 100.0, 0.5, -70.0, 70.0, 150.0, 1.4)
        return replace(scene.rig, jet=jet)

    usual = drawn(scene, scene.guidance())
    assert np.array_equal(drawn(scene, scene.guidance(), rig=with_jet("another")), usual)
    assert not np.array_equal(drawn(scene, scene.guidance(), rig=with_jet(scene.protocol.device)), usual)


def test_the_footprint_ring_lies_on_the_curved_skin(scene: Scene) -> None:
    guidance = scene.guidance()
    assert guidance.jet is not None
    ring = footprint_ring(guidance.jet, np.array([0.0, 0.0, 1.0]), scene.placed(), r_half_mm=21.0)
    radius = np.hypot(ring[:, 0], ring[:, 2] - 810.0)
    np.testing.assert_allclose(radius, 110.0, atol=0.3)  # cells are flat: 2.5^2 / (2 * 110) = 0.03 mm each


def test_text_is_cut_and_wrapped_to_its_width() -> None:
    assert text_width_px(fitted("a very long name of a zone", size=0.5, width_px=120), size=0.5) <= 120
    lines = wrapped("move the jet away and close the valve now", size=0.5, width_px=150, lines=2)
    assert len(lines) == 2
    assert all(text_width_px(line, size=0.5) <= 150 for line in lines)


def test_letters_that_the_font_lacks_are_spelled() -> None:
    assert plain("Gefäß ≤ 5 °C ± 1 \N{EN DASH} ü") == "Gefass <= 5 °C ±1 - u"
    assert plain("\u7406") == "?"


def test_dashes_keep_to_the_line() -> None:
    pieces = dashes(np.array([[0.0, 0.0], [100.0, 0.0]]), dash_px=10.0, gap_px=5.0)
    assert len(pieces) == 7
    assert all((piece[:, 1] == 0.0).all() for piece in pieces)


def test_no_word_claims_safety(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    for module in ("panels", "tiles"):
        monkeypatch.setattr(f"guidance.overlay.{module}.write", lambda _, text, __, **___: words.append(text))
    drawn(scene, scene.guidance())
    assert not any("safe" in text.lower() for text in words)


def thermal(*, shutter: bool = False) -> ThermalPicture:
    degc = np.tile(np.linspace(0.0, 36.0, 40), (30, 1))
    counts = np.round((degc + 273.15) * 100.0).astype(np.uint16)
    counts[:5, :5] = 0
    return ThermalPicture(0.0, counts, shutter)


def test_colder_is_darker() -> None:
    drawn = draw_thermal(thermal(), low_degc=0.0, high_degc=36.0, scale=4)
    assert drawn.shape == (120, 160, 3)
    assert (np.diff(drawn[100, ::4].astype(float).sum(axis=1)) >= 0.0).all()


def test_pixels_without_a_reading_are_striped() -> None:
    drawn = draw_thermal(thermal(), low_degc=0.0, high_degc=36.0, scale=4)
    striped = (drawn == bgr(MAGENTA)).all(axis=2)
    assert striped[:20, :20].mean() == pytest.approx(1 / 3, abs=0.05)
    assert not striped[20:].any()
    assert not striped[:, 20:].any()


def test_a_closed_shutter_shows_no_temperature_at_all() -> None:
    drawn = draw_thermal(thermal(shutter=True), low_degc=0.0, high_degc=36.0, scale=2)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2


def test_a_range_without_width_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        draw_thermal(thermal(), low_degc=5.0, high_degc=5.0, scale=2)


def test_a_protocol_that_nobody_approved_is_marked_before_its_title(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(overlay_panels, "write", lambda _, words, *__, **___: written.append(words))
    draw_overlay(scene.picture, scene.guidance(), rig=scene.rig, protocol=scene.protocol, zone=scene.zone)
    assert any(words.startswith("NOT APPROVED BY A CLINICIAN |") for words in written)
    written.clear()
    signed = replace(scene.protocol, approved_by="Dr Example")
    draw_overlay(scene.picture, scene.guidance(), rig=scene.rig, protocol=signed, zone=scene.zone)
    assert not any("NOT APPROVED" in words for words in written)
