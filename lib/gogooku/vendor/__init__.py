"""The J-Quants API V2: its client, and fetching day by day within its limits."""
