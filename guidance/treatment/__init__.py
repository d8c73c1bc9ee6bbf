"""One treatment from preflight to report: its course, what a screen is shown of it and may say to it."""
