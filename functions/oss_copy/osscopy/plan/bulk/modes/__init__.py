"""What a job does in place of copies: a dry run. Pure functions; must not know how anything is listed."""
