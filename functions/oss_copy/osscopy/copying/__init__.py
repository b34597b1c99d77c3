"""The copying room."""
