"""The page in a real browser: what it looks like, whether everybody can use it, and by keys alone."""
