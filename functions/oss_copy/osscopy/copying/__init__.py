"""One copy, from its request to its result, in the protocol's order of effects.

Read `start`, `upload`, `hop` and `finish` in this order: they are the protocol. `plan` decides, these carry
it out; `outcome` says how a copy ends, and `earlier` what another delivery of the same copy has done. Must
not know SDKs, formats of events or the environment; the store, the records and FC are ports.
"""
