"""The pipeline, alarms, overlay, report and command line. Floor 2."""
