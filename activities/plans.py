"""Who is to be woken: the owner's file at this instant, as the ladder that an escalation keeps."""

from collections.abc import Iterable

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from configuration.holder import ConfigurationFile
from configuration.model import Configuration
from configuration.schedule import PlannedLadder, PlannedPerson, PlannedRung, planned_ladder
from workflows.contacts import responder_of
from workflows.orders import GONE, PLAN_LADDER, PlanLadder
from workflows.sentences import language_of
from workflows.values import Ladder, PersonId, Responder, Rung

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Plans:
    """Plans ladders from the file as it is now."""

    def __init__(self, configuration: ConfigurationFile) -> None:
        self._configuration = configuration

    @activity.defn(name=PLAN_LADDER.name)
    async def plan_ladder(self, order: PlanLadder) -> Ladder:
        """The line's ladder for this category, with whoever is on call then.

        Only reads: a repeat gives the same ladder, unless the file has changed. An emergency on a line that
        the file no longer has goes to the operators; raises Gone where not even they can be reached.
        """
        configuration = self._configuration.current()
        if order.line not in configuration.lines:
            log.error("line not in the configuration", line=order.line)
            return _operators_only(configuration, order)
        ladder = ladder_of(planned_ladder(configuration, order.line, order.category, order.at))
        if ladder.rungs:
            return ladder
        log.error("nobody on the whole ladder can be reached", line=order.line, category=order.category)
        return _operators_only(configuration, order)


def ladder_of(planned: PlannedLadder) -> Ladder:
    """A planned ladder as the workflows keep it: rungs on which nobody can be reached are left out.

    Where that leaves none, the last resort is the one rung.
    """
    resort = _rung(planned.last_resort)
    rungs = [rung for rung in map(_rung, planned.rungs) if rung.responders]
    if not rungs and resort.responders:
        log.error("only the last resort can be reached", line=planned.line, ladder=planned.ladder)
        rungs = [resort]
    return Ladder(
        rungs=tuple(rungs),
        last_resort=resort.responders,
        pauses_s=planned.pauses_s,
        submit_limit_s=planned.submit_limit_s,
    )


def _operators_only(configuration: Configuration, order: PlanLadder) -> Ladder:
    """A ladder of those whom Rung tells about its own trouble."""
    operators = tuple(
        responder_of(key, person, "alerts: nobody on the line's own ladder can be reached")
        for key in configuration.alerts.people
        if (person := configuration.people[key]).reached_by
    )
    if not operators:
        raise ApplicationError(f"nobody can be woken for line {order.line}", type=GONE, non_retryable=True)
    return Ladder(rungs=(Rung("operators", operators),), last_resort=operators)


def _rung(planned: PlannedRung) -> Rung:
    for because in planned.nobody:
        log.warning("nobody on call", rung=planned.name, because=because)
    return Rung(
        name=planned.name,
        responders=tuple(_reachable(planned.people)),
        wait_s=planned.wait_s,
        wait_nobody_s=planned.wait_nobody_s,
        ring_again_s=planned.ring_again_s,
    )


def _reachable(people: Iterable[PlannedPerson]) -> Iterable[Responder]:
    for person in people:
        if not person.channels:
            log.warning("person without a channel", person=person.person)
            continue
        yield Responder(
            id=PersonId(person.person),
            name=person.name,
            phone=person.voice,
            text_to=person.sms,
            push=person.push,
            language=language_of(person.languages),
            because=person.because,
            speaks=tuple(language_of([language]) for language in person.languages),
        )
