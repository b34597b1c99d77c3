"""The check: which questions are asked of the deployment, in which order, and in which time.

Knows the order; not what answers mean, nor how anything is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from osscopy import events
from osscopy.check import answers, config, records, sources, triggers
from osscopy.check.config import Deployment
from osscopy.check.destinations import Destinations
from osscopy.check.inspection import Inspection
from osscopy.check.report import Finding, failed, skipped
from osscopy.check.world import Need, QuestionFailed, World
from osscopy.jobs.journal import RecordJournal
from osscopy.model import Checked, Line, Misconfigured, Ping, Rule
from osscopy.model.ports import Log, Platform
from osscopy.plan.keys import Pattern
from osscopy.settings import RulesObject

LONGEST = 300.0  # seconds of a check, however long the function may run


def seconds_for_answer(timeout: float) -> float:
    """Return how long one answer is waited for, so that some time is left after it."""
    return max(0.5, min(10.0, timeout / 16))


def until(begun: float, timeout: float) -> float:
    """Return when to ask nothing more (monotonic).

    The last question, and then up to five that take things away (abort, find, delete, list, remove), may each
    wait in vain.
    """
    return begun + min(timeout, LONGEST) - 1.0 - 6 * seconds_for_answer(timeout)


class Checkup:
    """One look at the deployment. `read_rules` reads the rules anew, from wherever they are."""

    def __init__(
        self,
        deployment: Deployment,
        world: World,
        journal: RecordJournal,
        platform: Platform,
        read_rules: Callable[[], Sequence[Rule]],
        log: Log,
    ) -> None:
        self._inspection = Inspection(deployment, world, log)
        self._journal = journal
        self._platform = platform
        self._read_rules = read_rules

    def run(self) -> Checked:
        """Ask everything, from what needs no question to what needs the answers before."""
        inspection, deployment, ask = self._inspection, self._inspection.deployment, self._inspection.ask
        ask("settings.allowLists", None, lambda: config.allow_lists(deployment))
        ask("settings.httpAuth", None, lambda: config.http(deployment))
        ask("settings.stateKey", None, lambda: config.state_key(deployment))
        ask("settings.notify", None, lambda: config.telling(deployment))
        ask("settings.maxParallel", None, lambda: config.memory(deployment))
        ask("settings.endpoints", None, lambda: config.endpoints(deployment))
        ask("settings.rules", None, self._rules)
        records.inspect(inspection, self._journal)
        rules = inspection.rules or ()
        named = _by_bucket(deployment.settings.allowed_sources, [each.source.bucket for each in rules])
        seen = [one for bucket in named for one in sources.inspect(inspection, bucket, named[bucket])]
        largest = max((each.largest for each in seen), default=0)
        ask("settings.timeout", None, lambda: config.timeout(deployment, largest))
        destinations = Destinations(inspection, [each.sample for each in seen if each.sample is not None])
        places = [each.destination.bucket for each in rules]
        for bucket, patterns in _by_bucket(deployment.settings.allowed_destinations, places).items():
            destinations.inspect(bucket, patterns)
        ask("function.invoke", None, self._invoke)
        ask("triggers", None, self._triggers)
        return inspection.report.checked()

    def _rules(self) -> list[Line]:
        inspection = self._inspection
        where = inspection.settings.rules
        if not isinstance(where, RulesObject):
            inspection.rules = where
            return config.rules(inspection.deployment, where)
        place = f"{where.bucket}/{where.key}"
        try:
            need = Need(f"oss:GetObject on {place}")
            inspection.rules = inspection.world.ask(need, self._read_rules)
        except QuestionFailed as error:
            if not isinstance(error.error, Misconfigured):
                raise
            text = f"no event of the OSS trigger can be served: {error.error.message}"
            advice = (
                f"put a JSON list of rules at oss://{place}, and grant the role oss:GetObject on it; "
                "or correct COPY_RULES, if it names another object than you meant"
            )
            return [failed(text[:600], advice).line("settings.rules", f"oss://{place}")]
        return config.rules(inspection.deployment, inspection.rules)

    def _invoke(self) -> Finding:
        """Submit an invocation that does nothing twice, under one task id."""
        need = Need("fc:InvokeFunction on the function itself", once=True)
        asked = f"check-{self._inspection.nonce}", events.encode(Ping()), 0
        first, second = (self._inspection.world.ask(need, self._platform.submit, *asked) for _ in range(2))
        return answers.invocations(first, second)

    def _triggers(self) -> Finding | Iterable[Line]:
        """List the triggers, which no copy needs, so that no answer is no finding."""
        try:
            need = Need("fc:ListTriggers", once=True)
            given = self._inspection.world.ask(need, self._platform.triggers)
        except QuestionFailed as error:
            advice = (
                "grant the function's role fc:ListTriggers on the function itself, or compare its triggers "
                "(events, prefix) with COPY_RULES in FC's console"
            )
            return skipped(error.error.message[:300], advice)
        return triggers.lines(self._inspection.settings, self._inspection.rules, given)


def _by_bucket(patterns: Sequence[Pattern], more: Sequence[str]) -> dict[str, list[Pattern]]:
    """Return the patterns of each bucket named there or in `more`, in order."""
    buckets = dict.fromkeys([*(each.bucket for each in patterns), *more])
    return {bucket: [each for each in patterns if each.bucket == bucket] for bucket in buckets}
