"""Forecasting models: ATFT-GAT-FAN and its baselines."""
