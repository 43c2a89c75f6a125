"""What Twilio's public documentation leaves open, as named settings with our default.

Each is a guess that can be turned round without touching code. Pessimistic mode
(`Assumptions.pessimistic`) takes the worse answer wherever one is worse.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

OrphanedCoach = Literal["nobody", "everybody"]


@dataclass(frozen=True)
class Assumptions:
    """Every field is one open question; `describe` in docs/sandbox.md tells which."""

    # How long things take on the telephone network.
    speech_characters_per_second: float = 15.0
    play_s: float = 3.0
    key_s: float = 0.2
    post_dial_delay_s: float = 0.5
    ring_buffer_s: float = 0.0
    default_time_limit_s: int = 14_400
    human_verdict_s: float = 2.0
    machine_verdict_s: float = 4.0
    sms_send_s: float = 0.5

    # HTTP statuses of errors whose code alone is documented.
    status_16022: int = 404
    status_16023: int = 400
    status_16026: int = 409
    status_16028: int = 400

    # Applications as participants.
    app_leg_has_own_sid: bool = False
    app_webhook_direction: str = "inbound"
    app_webhook_to: Literal["application", "application-with-query", "from"] = "application"

    # Conferences.
    conference_sequence_start: int = 1
    orphaned_coach: OrphanedCoach = "nobody"
    alone_again_hears: Literal["silence", "wait"] = "silence"
    announcement: Literal["overlay", "replace"] = "overlay"
    jitter_off_ms: int = 20
    jitter_small_ms: int = 160
    jitter_medium_ms: int = 200
    jitter_large_ms: int = 300
    coach_switch_s: float = 0.0
    kicked_leg_continues: bool = True
    dial_conference_status: str = "answered"

    # TwiML.
    dial_action_after_hangup: bool = True
    first_answer_cancels_others: bool = True
    screened_out_status: str = "no-answer"
    silent_recording_falls_through: bool = True
    speech_end_s: float = 1.0
    speech_confidence: float = 0.9
    failed_stream_continues: bool = True

    # Streams.
    stream_first_timestamp_ms: int = 20
    stream_chunks_per_track: bool = True
    stream_queue_s: float = 600.0
    stream_backlog_bytes: int = 65_536

    # Lists, callbacks and messages.
    queued_calls_match_start_time: bool = True
    callback_delay_s: float = 0.0
    call_token: Literal["absent", "signed", "unsigned"] = "absent"  # noqa: S105  # no password
    message_callback_statuses: frozenset[str] = field(
        default_factory=lambda: frozenset({"queued", "sent", "delivered", "undelivered", "failed"})
    )
    advanced_opt_out: bool = False

    def pessimistic(self) -> "Assumptions":
        """The same, with the worse answer to every question that has one."""
        return replace(
            self,
            orphaned_coach="everybody",
            coach_switch_s=max(self.coach_switch_s, 0.6),
            callback_delay_s=max(self.callback_delay_s, 2.0),
            queued_calls_match_start_time=False,
            alone_again_hears="wait",
            app_leg_has_own_sid=True,
            ring_buffer_s=max(self.ring_buffer_s, 5.0),
        )
