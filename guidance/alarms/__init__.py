"""Alarms: what is judged, which conditions hold, episodes, what the operator sees and hears of them."""
