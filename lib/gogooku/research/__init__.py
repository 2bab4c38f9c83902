"""Measurements of the data themselves."""
