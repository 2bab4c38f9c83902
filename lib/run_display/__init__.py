"""What people see of a run: one line a job, progress, results or what went wrong."""
