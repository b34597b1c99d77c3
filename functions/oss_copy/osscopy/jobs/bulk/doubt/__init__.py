"""The doubt about copies that had no answer: notes of them before they are sent, and their later comparison.

Must not know how an object is copied, nor how a range is walked.
"""
