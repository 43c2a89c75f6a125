"""A stand-in for the workflow of a call, as far as a bridge can tell; the real one is tested with the shells."""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.messages import Attach, Attached, Detached
from workflows.orders import INSTRUCT_BRIDGE, Instruction
from workflows.voice import Plan, ToolCall, ToolOutcome, Turns, VoiceTrouble


@dataclass(frozen=True)
class Heard:
    """What a bridge has told this call, and in which order."""

    attached: tuple[Attach, ...]
    detached: tuple[Detached, ...]
    order: tuple[str, ...]
    tools: tuple[ToolCall, ...] = ()
    turns: tuple[Turns, ...] = ()
    troubles: tuple[VoiceTrouble, ...] = ()


@workflow.defn(name="CallWorkflow")
class StandInCall:
    """Lets a leg's current generation in, each token once."""

    @workflow.init  # an update may come before the first step of `run`
    def __init__(self, plan: Plan | None = None) -> None:
        self.generation = 1
        self.nonces: list[str] = []
        self.attached: list[Attach] = []
        self.gone: list[Detached] = []
        self.news: list[str] = []
        self.over = False
        self.plan = plan
        self.tools: list[ToolCall] = []
        self.turns_told: list[Turns] = []
        self.troubles: list[VoiceTrouble] = []

    @workflow.run
    async def run(self, _: Plan | None = None) -> None:
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
        return Attached(accepted=True, plan=self.plan)

    @workflow.signal
    def detached(self, message: Detached) -> None:
        self.gone.append(message)
        self.news.append("detached")

    @workflow.update
    def use_tool(self, message: ToolCall) -> ToolOutcome:
        if message.name == "fail":
            raise ApplicationError("nobody may do that")
        self.tools.append(message)
        return ToolOutcome(output=f"{message.name} done", speak=False)

    @workflow.signal
    def turns(self, message: Turns) -> None:
        self.turns_told.append(message)

    @workflow.signal
    def voice_trouble(self, message: VoiceTrouble) -> None:
        self.troubles.append(message)

    @workflow.update
    async def until_told(self, turns: int) -> Heard:
        """Wait for so many batches of turns."""
        await workflow.wait_condition(lambda: len(self.turns_told) >= turns)
        return self.heard()

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
        return self.heard()

    @workflow.query
    def heard(self) -> Heard:
        return Heard(
            tuple(self.attached),
            tuple(self.gone),
            tuple(self.news),
            tuple(self.tools),
            tuple(self.turns_told),
            tuple(self.troubles),
        )

    @workflow.signal
    def end(self, _: str) -> None:
        self.over = True
