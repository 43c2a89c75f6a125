"""A stand-in for the workflow of a call, as far as a bridge can tell; the real one is tested with the shells."""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.messages import Attach, Attached, Detached
from workflows.orders import INSTRUCT_BRIDGE, Instruction


@dataclass(frozen=True)
class Heard:
    """What a bridge has told this call, and in which order."""

    attached: tuple[Attach, ...]
    detached: tuple[Detached, ...]
    order: tuple[str, ...]


@workflow.defn(name="CallWorkflow")
class StandInCall:
    """Lets a leg's current generation in, each token once."""

    def __init__(self) -> None:
        self.generation = 1
        self.nonces: list[str] = []
        self.attached: list[Attach] = []
        self.gone: list[Detached] = []
        self.news: list[str] = []
        self.over = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.update
    def attach(self, message: Attach) -> Attached:
        if message.generation != self.generation:
            return Attached(accepted=False, because="replaced")
        if message.nonce in self.nonces:
            return Attached(accepted=False, because="this stream token was used before")
        self.nonces.append(message.nonce)
        self.attached.append(message)
        self.news.append("attached")
        return Attached(accepted=True)

    @workflow.signal
    def detached(self, message: Detached) -> None:
        self.gone.append(message)
        self.news.append("detached")

    @workflow.update
    async def order(self, instruction: Instruction) -> str:
        """Order the bridge that attached last; "done", or the type of its refusal."""
        try:
            await workflow.execute_activity(
                INSTRUCT_BRIDGE.name,
                instruction,
                result_type=INSTRUCT_BRIDGE.gives,
                task_queue=self.attached[-1].queue,
                start_to_close_timeout=INSTRUCT_BRIDGE.start_to_close,
                schedule_to_start_timeout=INSTRUCT_BRIDGE.schedule_to_start,
                retry_policy=INSTRUCT_BRIDGE.retry,
            )
        except ActivityError as error:
            cause = error.cause
            return cause.type or "?" if isinstance(cause, ApplicationError) else repr(cause)
        return "done"

    @workflow.update
    async def until(self, counts: tuple[int, int]) -> Heard:
        """Wait for so many attachments and detachments."""
        attached, gone = counts
        await workflow.wait_condition(lambda: len(self.attached) >= attached and len(self.gone) >= gone)
        return Heard(tuple(self.attached), tuple(self.gone), tuple(self.news))

    @workflow.query
    def heard(self) -> Heard:
        return Heard(tuple(self.attached), tuple(self.gone), tuple(self.news))

    @workflow.signal
    def end(self, _: str) -> None:
        self.over = True
