"""Says at the end of a test run how many schedules were simulated, and how fast."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "simulated":
                terminalreporter.write_line(f"simulated {value}")
