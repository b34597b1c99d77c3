"""The genuine `s` tool as a program: how it is installed and run, what it prints.

`s` deploys; everything it does not do, or does not report, is in `account`. This room must not know command
lines of ours, nor any SDK.
"""
