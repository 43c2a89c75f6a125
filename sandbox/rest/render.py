"""Resources as Twilio shows them: snake_case, RFC 2822 dates, numbers of seconds as strings."""

from datetime import datetime

from sandbox.calls import Call, CallStatus, rfc2822
from sandbox.conference import RoomStatus
from sandbox.directory import Application, Hooks, Number
from sandbox.messages import Message, segments
from sandbox.recordings import Recording
from sandbox.seats import Conference, Seat
from sandbox.world import API_VERSION

Json = dict[str, object]


def account_uri(account: str) -> str:
    return f"/{API_VERSION}/Accounts/{account}"


def _date(instant: datetime | None) -> str | None:
    return None if instant is None else rfc2822(instant)


def call_json(call: Call) -> Json:
    uri = f"{account_uri(call.account)}/Calls/{call.sid}"
    shown = CallStatus.QUEUED if call.status is CallStatus.INITIATED else call.status
    return {
        "sid": call.sid,
        "account_sid": call.account,
        "date_created": _date(call.created),
        "date_updated": _date(call.updated),
        "parent_call_sid": call.parent,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": call.number_sid,
        "status": shown.value,
        "start_time": _date(call.started),
        "end_time": _date(call.ended),
        "duration": str(call.duration_s) if call.ended is not None else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(call.queue_ms),
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {
            "recordings": f"{uri}/Recordings.json",
            "notifications": f"{uri}/Notifications.json",
            "events": f"{uri}/Events.json",
            "streams": f"{uri}/Streams.json",
        },
    }


def conference_json(account: str, conference: Conference) -> Json:
    room = conference.room
    uri = f"{account_uri(account)}/Conferences/{room.sid}"
    return {
        "sid": room.sid,
        "account_sid": account,
        "friendly_name": room.name,
        "status": room.status.value,
        "region": "us1",
        "date_created": _date(conference.created),
        "date_updated": _date(conference.updated),
        "api_version": API_VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {
            "participants": f"{uri}/Participants.json",
            "recordings": f"{uri}/Recordings.json",
        },
        "reason_conference_ended": room.end_reason if room.status is RoomStatus.COMPLETED else None,
        "call_sid_ending_conference": room.ended_by,
    }


_PARTICIPANT_STATUS = {
    CallStatus.QUEUED: "queued",
    CallStatus.INITIATED: "connecting",
    CallStatus.RINGING: "ringing",
    CallStatus.IN_PROGRESS: "connected",
    CallStatus.COMPLETED: "complete",
}


def participant_json(conference: Conference, seat: Seat, *, queue_time: str | None = None) -> Json:
    call = seat.leg.call
    member = conference.member(seat)
    room_uri = f"{account_uri(call.account)}/Conferences/{conference.sid}"
    status = _PARTICIPANT_STATUS.get(call.status, "failed")
    if status == "queued" and call.started is not None:
        status = "connecting"
    return {
        "account_sid": call.account,
        "call_sid": call.sid,
        "label": member.label,
        "call_sid_to_coach": member.coaches,
        "coaching": member.coaching,
        "conference_sid": conference.sid,
        "date_created": _date(seat.created),
        "date_updated": _date(seat.updated),
        "end_conference_on_exit": member.end_on_exit,
        "muted": member.muted,
        "hold": member.hold,
        "start_conference_on_enter": member.start_on_enter,
        "status": status,
        "queue_time": queue_time,
        "uri": f"{room_uri}/Participants/{call.sid}.json",
    }


def message_json(message: Message) -> Json:
    uri = f"{account_uri(message.account)}/Messages/{message.sid}"
    return {
        "sid": message.sid,
        "account_sid": message.account,
        "messaging_service_sid": None,
        "from": message.from_,
        "to": message.to,
        "body": message.body,
        "status": message.status.value,
        "direction": message.direction,
        "num_segments": str(segments(message.body)),
        "num_media": "0",
        "error_code": message.error_code,
        "error_message": message.error_message,
        "price": None,
        "price_unit": "USD",
        "date_created": _date(message.created),
        "date_sent": _date(message.sent),
        "date_updated": _date(message.updated),
        "api_version": API_VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def _hooks_json(hooks: Hooks) -> Json:
    return {
        "voice_url": hooks.voice_url,
        "voice_method": hooks.voice_method,
        "voice_fallback_url": hooks.voice_fallback_url,
        "voice_fallback_method": hooks.voice_fallback_method,
        "voice_caller_id_lookup": False,
        "status_callback": hooks.status_callback,
        "status_callback_method": hooks.status_callback_method,
        "sms_url": hooks.sms_url,
        "sms_method": hooks.sms_method,
        "sms_fallback_url": hooks.sms_fallback_url,
        "sms_fallback_method": hooks.sms_fallback_method,
    }


def application_json(account: str, application: Application) -> Json:
    return {
        "sid": application.sid,
        "account_sid": account,
        "friendly_name": application.name,
        "date_created": _date(application.created),
        "date_updated": _date(application.updated),
        "api_version": API_VERSION,
        "message_status_callback": application.hooks.message_status_callback,
        "sms_status_callback": application.hooks.message_status_callback,
        "public_application_connect_enabled": False,
        "uri": f"{account_uri(account)}/Applications/{application.sid}.json",
        **_hooks_json(application.hooks),
    }


def number_json(account: str, number: Number) -> Json:
    return {
        "sid": number.sid,
        "account_sid": account,
        "phone_number": number.number,
        "friendly_name": number.name,
        "date_created": _date(number.created),
        "date_updated": _date(number.updated),
        "api_version": API_VERSION,
        "address_sid": None,
        "address_requirements": "none",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "identity_sid": None,
        "origin": "twilio",
        "sms_application_sid": number.sms_application,
        "trunk_sid": None,
        "voice_receive_mode": "voice",
        "voice_application_sid": number.voice_application,
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
        "type": "local",
        "uri": f"{account_uri(account)}/IncomingPhoneNumbers/{number.sid}.json",
        **_hooks_json(number.hooks),
    }


def recording_json(account: str, recording: Recording) -> Json:
    return {
        "sid": recording.sid,
        "account_sid": account,
        "call_sid": recording.call,
        "duration": str(recording.duration_s),
        "date_created": _date(recording.created),
        "api_version": API_VERSION,
        "status": "completed",
        "channels": 1,
        "source": "RecordVerb",
        "uri": f"{account_uri(account)}/Recordings/{recording.sid}.json",
    }
