"""The looks of jobs that copy nothing. Must not know what is decided by them (`plan.bulk.modes`)."""
