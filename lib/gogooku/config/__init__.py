"""The settings of a run, and the table of availability."""
