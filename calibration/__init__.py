"""Calibration front ends. Floor 2."""
