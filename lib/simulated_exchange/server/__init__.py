"""The exchange's HTTP server: the vendor's protocol, limits, plans and faults."""
