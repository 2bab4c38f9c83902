"""What predictions were worth, and how sure that is."""
