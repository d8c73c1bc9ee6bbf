"""Recordings: written, replayed, recovered, verified."""
