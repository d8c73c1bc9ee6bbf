"""The skin model carried along with the session, corrected by each thermal picture at its own exposure.

A picture shows the skin as it was some time before it arrives. So two estimates are kept: one at the exposure
of the last picture, one now; what the jet did in between is remembered, and told again to the corrected one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.geometry import Floats
from models.jet_cooling import ROOM_DEGC, JetFilm
from models.skin_estimate import SkinEstimate
from models.skin_filter import correct_by, predict
from models.tissue import Tissue, tissue_at

LATEST_S = 1.0
"""A picture that arrives later after its exposure than this is no more taken in."""


@dataclass(frozen=True, eq=False)
class Blown:
    """What the jet did up to a time, from the end of the one before."""

    to_s: float
    jet: JetFilm | None
    """None: no gas, or nobody knows where."""
    blind: bool
    """Gas flowed and nobody knows where."""


@dataclass(frozen=True, eq=False)
class SkinTrack:
    """Carried from capture to capture."""

    tissue: Tissue
    seen: SkinEstimate
    """At the exposure of the last picture."""
    now: SkinEstimate
    """As of the last `settled`."""
    renewed: bool
    """A picture was taken in since then."""
    blown: tuple[Blown, ...]
    """Since `seen`, oldest first."""

    @staticmethod
    def start(
        cells: int, *, zone: str, t_s: float, room_degc: float | None, perfusion: float = 1.0
    ) -> SkinTrack:
        """Before the first picture.

        Args:
            cells: Of the chart.
            zone: Of the catalogue, for the tissue.
            t_s: When the chart was laid.
            room_degc: None = not known.
            perfusion: Blood flow as a share of that at rest.
        """
        tissue = tissue_at(zone)
        if perfusion != 1.0:
            tissue = tissue.with_perfusion(perfusion)
        air_degc = ROOM_DEGC if room_degc is None else room_degc
        estimate = SkinEstimate.unknown(cells, tissue=tissue, t_s=t_s, air_degc=air_degc)
        return SkinTrack(tissue, estimate, estimate, False, ())


def carried(track: SkinTrack, *, jet: JetFilm | None, blind: bool, t_s: float) -> SkinTrack:
    """Remember what the jet did up to a later time; `settled` then tells it to the skin.

    Args:
        track: What was known.
        jet: What it did to the cells; None where no gas flowed or nobody knows where.
        blind: Gas flowed and nobody knows where.
        t_s: The time, not before the track's.
    """
    seen, blown = track.seen, (*track.blown, Blown(t_s, jet, blind))
    if t_s - seen.t_s > LATEST_S:
        seen, blown = _along(seen, blown, track.tissue, to_s=t_s - LATEST_S)
    return replace(track, seen=seen, blown=blown)


def settled(track: SkinTrack) -> SkinTrack:
    """The skin now: from the last picture on under what the jet did since."""
    now = track.seen if track.renewed else track.now
    if track.blown:
        now, _ = _along(now, track.blown, track.tissue, to_s=track.blown[-1].to_s)
    return replace(track, now=now, renewed=False)


def corrected(
    track: SkinTrack,
    *,
    exposed_s: float,
    read_degc: Floats,
    noise_u95_degc: Floats,
    common_u95_degc: Floats,
) -> SkinTrack:
    """Take in a picture; `settled` then tells what has been since.

    Args:
        track: What was known; one older than its last picture changes nothing.
        exposed_s: When the picture was taken.
        read_degc: Reading of every cell, NaN where it has none, shape (n,).
        noise_u95_degc: Bound of what differs from picture to picture, shape (n,).
        common_u95_degc: Bound of what a cell's readings have in common, shape (n,).
    """
    exposed_s = min(exposed_s, track.blown[-1].to_s if track.blown else track.seen.t_s)
    if exposed_s < track.seen.t_s:
        return track
    seen, blown = _along(track.seen, track.blown, track.tissue, to_s=exposed_s)
    seen = correct_by(
        seen,
        read_degc=read_degc,
        noise_u95_degc=noise_u95_degc,
        common_u95_degc=common_u95_degc,
        jet=blown[0].jet if blown else None,
        tissue=track.tissue,
    )
    return replace(track, seen=seen, renewed=True, blown=blown)


def _along(
    estimate: SkinEstimate, blown: tuple[Blown, ...], tissue: Tissue, *, to_s: float
) -> tuple[SkinEstimate, tuple[Blown, ...]]:
    """An estimate carried to a time, and what is left to tell it."""
    for k, step in enumerate(blown):
        end_s = min(step.to_s, to_s)
        if end_s > estimate.t_s:
            estimate = predict(estimate, jet=step.jet, tissue=tissue, t_s=end_s, blind=step.blind)
        if step.to_s > to_s:
            return estimate, blown[k:]
    return estimate, ()
