"""Contraindications asked before the gas, and their answers."""
