"""The simulated market: every table of the vendor, and the truth behind it."""
