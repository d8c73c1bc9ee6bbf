"""Pictures that arrive late correct the skin as it was, and what the jet did since is told again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import Floats
from models.jet_cooling import JetFilm
from models.skin_estimate import MEASURED, PREDICTED, temperatures
from models.skin_filter import correct_by, predict
from models.skin_track import LATEST_S, SkinTrack, carried, corrected, settled

N = 4
COLD = JetFilm(np.array([80.0, 40.0, 0.0, 0.0]), np.full(N, -60.0), np.full(N, 2.0))
NOISE, COMMON = np.full(N, 0.2), np.full(N, 0.5)


def begun() -> SkinTrack:
    """A track that has seen even skin at 33 degC."""
    track = SkinTrack.start(N, zone="calf", t_s=0.0, room_degc=None)
    return seen(carried(track, jet=None, blind=False, t_s=0.1), 0.1, np.full(N, 33.0))


def seen(track: SkinTrack, exposed_s: float, read_degc: Floats) -> SkinTrack:
    told = corrected(
        track, exposed_s=exposed_s, read_degc=read_degc, noise_u95_degc=NOISE, common_u95_degc=COMMON
    )
    return settled(told) if told is not track else track


def blown(track: SkinTrack, *times_s: float) -> SkinTrack:
    for t_s in times_s:
        track = carried(track, jet=COLD, blind=False, t_s=t_s)
    return settled(track)


def test_a_late_picture_says_the_same_as_one_in_time() -> None:
    late = blown(begun(), 0.2, 0.3, 0.4)
    read = late.now.skin.surface_degc + 0.3
    late = seen(late, 0.3, read)
    track = blown(begun(), 0.2, 0.3)
    before = predict(begun().seen, jet=COLD, tissue=track.tissue, t_s=0.2)
    at_once = correct_by(
        predict(before, jet=COLD, tissue=track.tissue, t_s=0.3),
        read_degc=read,
        noise_u95_degc=NOISE,
        common_u95_degc=COMMON,
        jet=COLD,
        tissue=track.tissue,
    )
    then = predict(at_once, jet=COLD, tissue=track.tissue, t_s=0.4)
    assert late.now.skin.surface_degc == pytest.approx(then.skin.surface_degc, abs=1e-9)
    assert late.now.t_s == pytest.approx(0.4)


def test_a_picture_older_than_the_last_one_changes_nothing() -> None:
    track = seen(blown(begun(), 0.2, 0.3), 0.25, np.full(N, 30.0))
    assert seen(track, 0.2, np.full(N, 10.0)) is track


def test_a_picture_stamped_after_now_counts_as_taken_now() -> None:
    track = seen(blown(begun(), 0.2), 5.0, np.full(N, 31.0))
    assert track.now.t_s == track.seen.t_s == pytest.approx(0.2)


@given(st.integers(3, 40))
def test_what_is_remembered_stays_short_when_no_picture_comes(captures: int) -> None:
    track = blown(begun(), *(0.1 + 0.2 * (k + 1) for k in range(captures)))
    assert len(track.blown) <= LATEST_S / 0.2 + 2
    assert track.now.t_s - track.seen.t_s <= LATEST_S + 1e-9
    status = temperatures(track.now).status
    assert MEASURED not in status
    assert track.now.skin.surface_degc[0] < track.now.skin.surface_degc[2]


def test_between_pictures_skin_under_the_jet_is_predicted_colder() -> None:
    track = blown(begun(), 0.2, 0.3)
    told = temperatures(track.now)
    assert told.status[2] == PREDICTED
    assert track.now.skin.surface_degc[0] < 33.0 - 0.5


def test_settling_at_every_capture_ends_where_settling_once_does() -> None:
    often = once = begun()
    for t_s in (0.2, 0.3, 0.4):
        often = settled(carried(often, jet=COLD, blind=False, t_s=t_s))
        once = carried(once, jet=COLD, blind=False, t_s=t_s)
    one, other = temperatures(often.now), temperatures(settled(once).now)
    assert one.degc == pytest.approx(other.degc, abs=1e-9)
    assert one.u95_degc == pytest.approx(other.u95_degc, abs=1e-9)
