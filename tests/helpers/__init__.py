"""Markets, panels, oracles and requests that tests share."""
