"""Deletions that rules follow. Must not know how an event is read, nor how a copy is made."""
