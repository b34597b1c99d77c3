"""What a job does in place of copies: a dry run, or a check. Pure; must not know how anything is listed."""
