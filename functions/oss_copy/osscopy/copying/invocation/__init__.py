"""The copying/invocation room."""
