"""What one capture is judged by: every measured fact that a rule of over-exposure may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """Everything judged in one capture. None = not known, and while gas flows that is told as well."""

    t_s: float
    gas_now: bool
    """Gas flows or may flow."""
    gas_s: float
    """Gas-on time of this step."""

    nozzle_seen: bool
    """Tracked or bridged."""
    nozzle_lost_s: float
    """How long it has not been seen, 0 while it is."""
    zone_state: str
    """``placed``, ``held``, ``lost`` (was placed) or ``none`` (never placed)."""
    patient_jump_mm: float | None
    """Sudden shift of the body since shortly before."""
    offset_mm: float | None
    """Between the skin that the jet should cool and the skin that the thermal picture shows cooling."""
    offset_u95_mm: float | None
    lag_s: float | None
    """The same in time: positive where the cooling comes late."""
    lag_u95_s: float | None

    distance_mm: float | None
    distance_u95_mm: float | None
    incidence_deg: float | None
    jet_in_zone: bool | None
    jet_on_map: bool | None
    """False: the jet meets skin off the map, or no skin at all."""
    jet_reason: str
    """Why nothing is known of the jet on the skin; empty where it is."""
    jet_speed_cm_s: float | None
    """Speed of the jet's spot over the skin."""
    jet_half_mm: float | None
    """Radius of the spot at half its weight."""
    static_for_s: float
    """Gas-on time within the same cm2 at less than the protocol's static speed."""

    lowest_degc: float | None
    """Best estimate of the coldest cell observed now."""
    lowest_bound_degc: float | None
    """Lowest estimate less its u95 over the observed cells that the last pictures agree on: as many as the
    protocol wants, one where the camera is slow."""
    incident: bool
    """The skin was at or below 0 degC (freezing injury, ISO 13732-3)."""
    time_to_limit_s: float | None
    """Predicted time to the STOP temperature under the jet, best estimate."""
    time_to_limit_lower_s: float | None
    """The same, the early end of its bound."""
    jet_spot_unobserved_s: float
    """How long gas has flowed on cells whose temperature is not observed."""

    peak_dwell_s: float
    """Highest jet-seconds over 1 cm2."""
    peak_dwell_upper_s: float
    """Its upper bound, time unaccounted for included."""
    peak_below_10_s: float
    peak_below_4_s: float
    peak_below_2_s: float
    tile_time_s: float
    """Gas-on time of the tile that has had most."""
    session_time_s: float
    """Gas-on time of the session."""

    thermal_expected: bool
    """The session has a thermal stream, or the rig has a thermal camera."""
    thermal_age_s: float | None
    """Since the exposure of the newest usable picture; None = none has come so far."""
    thermal_stuck: bool
    """The picture has not changed although it should have."""
    shutter: bool
    """The newest picture that arrived is flagged as taken during a shutter event."""
    colour_age_s: float | None
    """Since the newest colour picture; None = the session has no colour stream."""
    rig_present: bool
    calibration_age_days: float | None
    calibration_lapsed: str = ""
    """Parts of the rig found with what it no longer has; empty = none."""
    zone_dwell_upper_s: float = 0.0
    """Upper bound of the jet-seconds that nearly every cell of the zone may have had, see
    `models.deposit.EVERYWHERE`."""
    clock_u95_s: float = 0.0
    """What the rig's time offset may be off by, as calibration states it; 0 = it states none."""
