"""What became of the objects of a job, and what copies cost."""
