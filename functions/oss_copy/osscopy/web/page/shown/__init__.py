"""The views of the page, and the pieces they are made of: values in, HTML out.

Must not know who asks, nor how anything is asked.
"""
