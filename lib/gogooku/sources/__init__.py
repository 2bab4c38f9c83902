"""Where raw rows come from: the J-Quants API, the simulated exchange, an archive."""
