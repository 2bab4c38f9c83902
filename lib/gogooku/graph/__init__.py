"""Correlation graphs of stocks."""
