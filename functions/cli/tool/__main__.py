"""Installs the `s` tool, and Node if there is none: `make tool`. Commands that need it do so, too."""

from __future__ import annotations

from functions.cli.tool import program

if __name__ == "__main__":
    program.install()
