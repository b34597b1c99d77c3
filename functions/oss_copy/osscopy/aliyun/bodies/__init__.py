"""Bodies of answers that are long and many, each form in a module of its own; short ones are in `oss_bodies`.

Must not know connections, SDKs, and what follows from an answer.
"""
