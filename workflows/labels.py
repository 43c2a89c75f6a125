"""What legs are called in a room: role-id-generation, unique among active participants. At most 128 characters."""

from workflows.assistant import Post
from workflows.values import CallSid, PersonId


def assistant_label(call: CallSid, generation: int, post: Post = Post.ASSISTANT) -> str:
    """The label of an AI's leg. Generations count all AI legs of a call, whatever their post."""
    return f"{post}-x{call}-{generation}"


def is_assistant_label(call: CallSid, label: str) -> bool:
    """Whether a label is of an AI leg of this call, of whatever post and generation."""
    return any(label.startswith(f"{post}-x{call}-") for post in Post)


def caller_label(call: CallSid) -> str:
    """The caller's label; a call has one caller leg."""
    return f"caller-x{call}-1"


def is_caller(label: str) -> bool:
    """Whether this is a caller's label."""
    return label.startswith("caller-")


def responder_label(person: PersonId, leg: CallSid) -> str:
    """A responder's label; each leg of theirs is a generation of its own."""
    return f"responder-{person}-{leg[-8:]}"


def seated_person(label: str) -> PersonId | None:
    """The person whose leg bears this label; None for a caller's or an AI's."""
    role, _, rest = label.partition("-")
    person, _, leg = rest.rpartition("-")
    return PersonId(person) if role == "responder" and person and leg else None
