"""Jobs of many objects on a simulated cloud that tries to break them, in virtual time."""
