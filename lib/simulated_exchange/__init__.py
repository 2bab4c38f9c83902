"""A simulated market and the exchange that serves it over HTTP; gogooku does not import it."""
