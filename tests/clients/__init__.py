"""Clients of OSS that other people wrote, driven against the local cloud: `make clients`."""
