"""``cryoguide import``: thermal files of other makers as a session folder."""
