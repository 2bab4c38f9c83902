"""Tested multi-horizon forecasts from Japanese market data."""
