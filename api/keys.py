"""What a digit on a page call means. Pure: keys are drawn per page, and only a drawn key is an act."""

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.tokens import PageItem
from workflows.values import ActId, ActKind, CallSid


@dataclass(frozen=True)
class Press:
    """A key that was drawn for a page, and what it does."""

    item: PageItem
    kind: ActKind

    def act_id(self, call: CallSid) -> ActId:
        """The same for every repeat of the webhook."""
        return key_act_id(call, self.item.page, self.kind)


def pressed(items: Sequence[PageItem], digit: str) -> Press | None:
    """The page and act of this digit; None for one that nothing was drawn for."""
    for item in items:
        if digit and digit == item.accept:
            return Press(item, ActKind.ACKNOWLEDGE)
        if digit and digit == item.decline and item.kind == "page":
            return Press(item, ActKind.DECLINE)
    return None


def key_act_id(call: CallSid, page: str, kind: ActKind, visit: str = "") -> ActId:
    """An act by key. visit: which showing of a menu it was pressed in, where a call can show one twice."""
    return ActId(f"key:{call}:{page}:{kind}" + (f":{visit}" if visit else ""))
