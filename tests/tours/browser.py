"""A browser that does what lines of JSON on standard input say, and answers each with one.

Runs in an environment of its own, which has Playwright and nothing of the project. Axe judges each view.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, sync_playwright

SERIOUS = ("serious", "critical")
MOST_TABS = 80


class Looker:
    """One window after the other; `noise`: what its console says, `asked`: what it loads."""

    def __init__(self, browser: Browser, axe: str, folder: Path) -> None:
        self._browser, self._axe, self._folder = browser, axe, folder
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self.noise: list[str] = []
        self.asked: list[str] = []

    @property
    def page(self) -> Page:
        assert self._page is not None
        return self._page

    def window(self, width: int, height: int, scheme: str, locale: str, script: bool) -> None:
        """Open a window of its own."""
        if self._context:
            self._context.close()
        self._context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale,
            java_script_enabled=script, reduced_motion="reduce",
        )  # fmt: skip
        self.noise, self.asked = [], []
        self._page = self._context.new_page()
        self._page.on("console", self._hear)
        self._page.on("pageerror", lambda error: self.noise.append(str(error)))
        self._page.on("request", lambda request: self.asked.append(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.noise.append(message.text)

    def shown(self, url: str) -> None:
        """Open a page as a custom domain hands it on: FC's own turns each into a download."""

        def hand_on(route: Route) -> None:
            answer = route.fetch()
            headers = {name: text for name, text in answer.headers.items() if name != "content-disposition"}
            route.fulfill(response=answer, headers=headers)

        self.page.route(f"{url}/**", hand_on)
        self.open(url)

    def open(self, url: str) -> None:
        self.page.goto(url, wait_until="load")

    def shoot(self, name: str) -> str:
        path = self._folder / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return str(path)

    def judge(self) -> list[str]:
        """Return what axe finds serious."""
        self.page.evaluate(self._axe)
        found: Any = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
            for each in found["violations"]
            if each["impact"] in SERIOUS
        ]

    def tab_to(self, selector: str) -> int:
        """Press Tab until this has the focus; return how often, 0 where it never has."""
        for count in range(1, MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("chosen => document.activeElement.matches(chosen)", selector):
                return count
        return 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.insert_text(text)

    def wait(self, selector: str, seconds: float) -> bool:
        """Return whether this is there in time."""
        self.page.wait_for_selector(selector, timeout=seconds * 1000, state="attached")
        return True

    def text(self) -> str:
        return str(self.page.inner_text("main"))

    def width(self) -> list[int]:
        """Return how wide the document is, and how wide the window."""
        found: list[int] = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        return found

    def where(self) -> str:
        return str(self.page.url)

    def heard(self) -> list[str]:
        return self.noise

    def loaded(self) -> list[str]:
        return self.asked


def main() -> None:
    """Do what each line says until there is none."""
    program, axe, folder = sys.argv[1:]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        looker = Looker(browser, Path(axe).read_text(encoding="utf-8"), Path(folder))
        for line in sys.stdin:
            what, *given = json.loads(line)
            try:
                answer = {"answer": getattr(looker, what)(*given)}
            except Exception as error:  # noqa: BLE001 - told to whoever asked, who fails with it
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
