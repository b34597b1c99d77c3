"""The deletions of a job: its plan, and the hops that go through it.

Must not know how superfluous objects are found, nor whether they may go (`settle` puts that on record).
"""
