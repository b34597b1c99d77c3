"""The page `GET /`: jobs, one job, and forms, as HTML that works without JavaScript.

Knows values of results and words to show; a script only asks for the same page again, and changes what
differs. Nothing in it is loaded by a copy: `routes` imports it when a browser asks.
"""
