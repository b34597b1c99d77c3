"""The figures of a job that users are shown: what is left, requests, cost, the slowest ranges, advice.

It must not know walks, records or reports: totals and results come in, figures come out.
"""
