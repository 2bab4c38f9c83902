"""Kernels and windows on dense arrays of sessions × stocks."""
