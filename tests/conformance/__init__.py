"""What holds the local cloud to the real one: other people's suites, and tests of traps no suite covers."""
