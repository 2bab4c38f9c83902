"""From families of features to what models read."""
