"""How much is asked of OSS at once: the number of requests in flight, and which part is asked for again.

This room knows numbers and moments alone; the answers, the CPU time and the clock come in as arguments.
"""

from __future__ import annotations
