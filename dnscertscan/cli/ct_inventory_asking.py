"""The interactive inventory: show one issuance, ask, keep the answer at once, and go on with the next."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import click

from dnscertscan.ct.inventory_judge import moment
from dnscertscan.ct.inventory_report import block, suggested
from dnscertscan.ct.inventory_store import InventoryStore
from dnscertscan.ct.inventory_values import LONGEST, Decision, Item, Kind, State, end_of
from dnscertscan.model.text import visible

_FOREVER = timedelta(days=36_500)
_LONGEST = {Kind.ACCEPT: LONGEST, Kind.ACKNOWLEDGE: timedelta(days=90)}
"""How far away the end of a decision may be; an alarm is not put off for long."""


class Asking:
    """Asks about everything that needs a person; ends early, with what was decided by then, at ``q`` or the end of input."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def ask(self, items: Sequence[Item], store: InventoryStore) -> None:
        """One after the other; each answer is in ``store`` before the next question."""
        waiting = [item for item in items if item.needs_a_person]
        try:
            for number, item in enumerate(waiting, start=1):
                click.echo(f"\n[{number} of {len(waiting)}]")
                for line in block(item, self._clock()):
                    click.echo(line)
                if not self._one(item, store):
                    break
        except click.Abort:
            click.echo("\nno more questions; what was decided so far is kept")

    def _one(self, item: Item, store: InventoryStore) -> bool:
        """Whether to go on."""
        if item.faults:
            words, answers = "[k] acknowledge it for a while, [s]kip, [q]uit", ["k", "s", "q"]
        elif item.state is State.ISSUER_UNDECIDED:
            click.echo("it cannot be accepted before its CA is known")
            return True
        else:
            words, answers = "[a]ccept, [r]eject (stays an alarm), [s]kip, [q]uit", ["a", "r", "s", "q"]
        answer = click.prompt(words, type=click.Choice(answers), default="s", show_choices=False)
        if answer == "a":
            self._keep(item, Kind.ACCEPT, store)
        elif answer == "k":
            self._keep(item, Kind.ACKNOWLEDGE, store)
        elif answer == "r":
            decision = Decision(item.issuance.tbs_sha256, Kind.REJECT, self._clock() + _FOREVER, self._reason(needed=False))
            store.decide(decision, self._clock())
        return bool(answer != "q")

    def _keep(self, item: Item, kind: Kind, store: InventoryStore) -> None:
        at = self._clock()
        until = self._until(suggested(item, at), at, kind)
        reason = self._reason(needed=kind is Kind.ACKNOWLEDGE)
        faults = item.faults if kind is Kind.ACKNOWLEDGE else frozenset[State]()
        store.decide(Decision(item.issuance.tbs_sha256, kind, until, reason, faults=faults), at)
        click.echo(f"{kind}: until {moment(until)}")

    @staticmethod
    def _until(proposed: datetime, at: datetime, kind: Kind) -> datetime:
        longest = _LONGEST[kind]
        while True:
            text = click.prompt("until (the last day that it counts)", default=f"{min(proposed, at + longest):%Y-%m-%d}")
            try:
                end = end_of(text)
            except ValueError:
                click.echo(f"{visible(text, 60)!r} is no date; write it as 2027-01-31")
                continue
            if at < end <= at + longest + timedelta(days=1):
                return end
            click.echo(f"{visible(text, 60)} is not within the next {longest.days} days")

    @staticmethod
    def _reason(*, needed: bool) -> str:
        while True:
            text: str = visible(click.prompt("reason", default="", show_default=False).strip(), 1000)
            if text or not needed:
                return text
            click.echo("an alarm is not put off without a reason")
