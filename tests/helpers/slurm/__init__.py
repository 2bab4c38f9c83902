"""A real one-machine Slurm for tests."""
