"""Captures through the step as they come, in step with the clock."""
