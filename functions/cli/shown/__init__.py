"""What the program shows: text made harmless, tables, bars, JSON.

Whatever comes from a user, OSS or the function is text and nothing else: no console markup, no emoji code, no
control sequence. This room must not know how an answer was come by.
"""
