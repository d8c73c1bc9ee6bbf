"""The stages of the step, and what it carries from capture to capture."""
