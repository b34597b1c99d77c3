"""One program for each client. It runs in the client's own environment; of ours it has `channel` alone."""
