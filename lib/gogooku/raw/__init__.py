"""The raw data sets: what they hold, their types, and how their files are read."""
