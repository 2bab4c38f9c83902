"""From raw bars and lists to the dense panel of each span."""
