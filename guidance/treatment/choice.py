"""What is treated with what, as the operator chooses it where no recording says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.catalogue import unsuited
from models.protocol import Device, Protocol
from models.zone import Zone


@dataclass(frozen=True)
class Choice:
    """By the catalogue's names; empty = not chosen yet."""

    zone: str = ""
    side: str = ""
    device: str = ""
    protocol: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing is left to choose."""
        return all((self.zone, self.side, self.device, self.protocol))


@dataclass(frozen=True, eq=False)
class Choices:
    """What there is to choose from."""

    zones: Mapping[str, Zone]
    devices: Mapping[str, Device]
    protocols: Mapping[str, Protocol]

    def wrong(self, choice: Choice) -> str:
        """Why it cannot be chosen, in a sentence; empty where it can, or is not complete yet."""
        zone, protocol = self.zones.get(choice.zone), self.protocols.get(choice.protocol)
        if (
            (choice.zone and zone is None)
            or (choice.device and choice.device not in self.devices)
            or (choice.protocol and protocol is None)
        ):
            return "There is nothing of that name to choose."
        if choice.side and (zone is None or choice.side not in zone.sides):
            return "Choose the zone first, then a side that it has."
        if protocol is not None and protocol.device != choice.device:
            return "That protocol is for another device."
        if protocol is not None and zone is not None and (why := unsuited(protocol, zone)):
            return why[:1].upper() + why[1:]
        return ""

    def told(self) -> dict[str, object]:
        """As a page gets it."""
        return {
            "zones": [
                {"name": z.name, "title": z.title, "sides": list(z.sides)} for z in self.zones.values()
            ],
            "devices": [{"name": d.name, "title": d.title} for d in self.devices.values()],
            "protocols": [
                {
                    "name": p.name,
                    "title": p.title,
                    "device": p.device,
                    "approval": p.approval,
                    "not_for": [z.name for z in self.zones.values() if unsuited(p, z)],
                }
                for p in self.protocols.values()
            ],
        }
