"""A workflow that does a little of everything a payload can travel by, to look at what Temporal keeps of it."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError


@dataclass(frozen=True)
class Words:
    words: str


@dataclass(frozen=True)
class Deed:
    kind: str
    by: str


@activity.defn
async def repeat(said: Words) -> Words:
    return said


@activity.defn
async def fail(said: Words) -> None:
    raise ApplicationError(said.words, said, non_retryable=True)


@workflow.defn
class Probe:
    """Hears acts until one resolves it."""

    @workflow.init
    def __init__(self, said: Words) -> None:
        self.deeds: list[Deed] = []

    @workflow.run
    async def run(self, said: Words) -> Words:
        workflow.set_current_details("Rung 1 rings")
        await workflow.execute_activity(
            repeat, said, start_to_close_timeout=timedelta(seconds=5), summary="Page ana by voice"
        )
        try:
            await workflow.execute_activity(
                fail,
                Words(f"{said.words} in a failure"),
                start_to_close_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError:
            workflow.logger.debug("as expected")
        await workflow.wait_condition(
            lambda: any(deed.kind == "resolve" for deed in self.deeds),
            timeout=timedelta(minutes=1),
            timeout_summary="Rung 1 expires",
        )
        return said

    @workflow.signal
    def act(self, deed: Deed) -> None:
        self.deeds.append(deed)

    @workflow.update
    def act_and_tell(self, deed: Deed) -> Deed:
        self.deeds.append(deed)
        return deed

    @workflow.query
    def heard(self) -> list[Deed]:
        return self.deeds

    @workflow.query
    def nothing(self) -> None:
        return None


@workflow.defn
class Sleeper:
    """Waits for a timer, and says so."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        await workflow.sleep(timedelta(seconds=seconds))
        return "the timer fired"
