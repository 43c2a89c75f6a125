"""What a call orders of the legs in its room: the AIs' steps, and how humans take part. Each comes back as news.

Part of the durable shell: runs in a workflow, decides nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol as Interface

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from workflows import call_news as news
from workflows import orders
from workflows.assistant import Assistant, Post, Step, Wanted
from workflows.call_state import Call, Manner
from workflows.labels import assistant_label
from workflows.shell import now, perform
from workflows.values import CallSid
from workflows.voice import Plan

STEP_AGAIN_S = 2.0  # what the network refuses it goes on refusing until somebody leaves or a look says why
ADD_ATTEMPTS = 3  # the label makes a repeat safe: it joins the leg that is there instead of adding one


class Plans(Interface):
    """What a speech model is to be."""

    def __call__(self, wanted: Wanted, *, opens: bool = False) -> Plan | None:
        """The plan for a role; None where no model speaks."""
        ...


class Legs:
    """The legs of one call."""

    def __init__(self, hear: Callable[[news.Event], object], call: Callable[[], Call], plan: Plans) -> None:
        """hear: takes the news. call: how it stands."""
        self._hear = hear
        self._call = call
        self._plan = plan

    async def take(self, order: news.TakeStep) -> None:
        """One step of an AI's leg; its end comes back as news either way."""
        step, assistant = order.step, order.assistant
        try:
            done = await self._step(order)
        except FailureError as error:
            cause = error.cause if isinstance(error, ActivityError) else error
            gone = isinstance(cause, ApplicationError) and cause.type == orders.GONE
            if not gone and step not in {
                Step.QUIET,
                Step.TELL_ROLE,
            }:  # a bridge that is gone is replaced at once
                await workflow.sleep(timedelta(seconds=STEP_AGAIN_S), summary=f"AI: could not {step}")
            failed = news.StepFailed(step, str(cause or error), gone, now())
            self._hear(replace(failed, generation=assistant.generation, queue=assistant.bridge))
            return
        self._hear(replace(done, generation=assistant.generation, queue=assistant.bridge))

    async def set_manner(self, leg: CallSid, manner: Manner) -> None:
        """Hold or mute a human's leg, or neither; how that went comes back as news."""
        call = self._call()
        room = call.conference_sid
        try:
            if room is None:
                raise ApplicationError("no room is known", type=orders.GONE)
            held = manner.hold is not None
            change = orders.SetParticipant(room, leg, muted=manner.muted, held=held, line=call.line.id)
            change = replace(change, sound=manner.hold or "silence")
            await perform(
                orders.SET_PARTICIPANT, change, "hold or mute a leg" if held else "let a leg be heard"
            )
        except FailureError:
            await workflow.sleep(timedelta(seconds=STEP_AGAIN_S), summary="could not hold or mute a leg")
            self._hear(news.MannerSet(leg, manner, done=False, at=now()))
            return
        self._hear(news.MannerSet(leg, manner, done=True, at=now()))

    async def _step(self, order: news.TakeStep) -> news.StepDone:
        step, wanted, ai = order.step, order.wanted, order.assistant
        done = news.StepDone(step, now())
        if step is Step.ADD:
            return await self._add(ai, order.post)
        if step in {Step.QUIET, Step.TELL_ROLE}:
            await self._instruct(step, wanted, ai)
            return replace(done, at=now())
        room, sid = self._call().conference_sid, ai.sid
        if step is Step.REMOVE and sid is not None:
            await perform(orders.HANG_UP, orders.OneCall(sid), "the AI leaves")
        elif room is None or sid is None:
            raise ApplicationError(f"no AI leg in a room to {step}", type=orders.GONE)
        elif step is Step.CONFIRM:
            confirm = orders.ConfirmCoaching(room, sid, wanted.coached)
            await perform(orders.CONFIRM_COACHING, confirm, f"AI: {step}")
        else:
            here = orders.SetParticipant(room, sid)
            change = {
                Step.MUTE: replace(here, muted=True),
                Step.UNMUTE: replace(here, muted=False),
                Step.HOLD: replace(here, held=True),
                Step.UNHOLD: replace(here, held=False),
                Step.COACH: replace(
                    here, coached=wanted.coached or ai.coaching, uncoach=wanted.coached is None
                ),
            }[step]
            await perform(orders.SET_PARTICIPANT, change, f"AI: {step}")
        return replace(done, at=now())

    async def _instruct(self, step: Step, wanted: Wanted, ai: Assistant) -> None:
        if ai.bridge is None:
            return
        order = orders.Instruction(self._call().sid, ai.generation, "quiet")
        if step is Step.TELL_ROLE:
            plan = self._plan(wanted, opens=True)
            order = replace(order, what="role", role=wanted.role, person=wanted.person, plan=plan)
        await perform(orders.INSTRUCT_BRIDGE, order, f"bridge: {step}", queue=ai.bridge)

    async def _add(self, ai: Assistant, post: Post) -> news.StepDone:
        call, generation = self._call(), ai.generation
        label = assistant_label(call.sid, generation, post)
        order = orders.AddAssistant(
            call.sid,
            call.line,
            call.conference,
            call.conference_sid,
            label,
            generation,
            muted=ai.muted is True,
        )
        why = "no answer"
        for _ in range(ADD_ATTEMPTS):
            try:
                added = await perform(
                    orders.ADD_ASSISTANT, order, f"AI: add leg {generation}", priority=orders.ASSISTANT_NEXT
                )
            except FailureError as error:
                why = str(error.cause or error)
                continue
            if added.what == "placed" and added.sid is not None:
                return news.StepDone(Step.ADD, now(), CallSid(added.sid), added.conference)
            why = added.error or added.what
            if added.what == "refused":
                break
        raise ApplicationError(f"the AI leg was not added: {why}", type=orders.REFUSED)
