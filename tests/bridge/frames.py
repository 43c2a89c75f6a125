"""Frames as Twilio documents them for Media Streams (its page "WebSocket Messages"), numbers as strings."""

import json

STREAM = "MZ" + "0" * 31 + "1"
LEG = "CA" + "2" * 32
ACCOUNT = "AC" + "0" * 32

CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})


def start(token: str | None, stream: str = STREAM) -> str:
    return json.dumps(
        {
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "accountSid": ACCOUNT,
                "streamSid": stream,
                "callSid": LEG,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {} if token is None else {"token": token},
            },
            "streamSid": stream,
        }
    )


def media(timestamp_ms: int = 20, stream: str = STREAM) -> str:
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": "2",
            "media": {
                "track": "inbound",
                "chunk": "1",
                "timestamp": str(timestamp_ms),
                "payload": "//////////8=",
            },
            "streamSid": stream,
        }
    )


DTMF = json.dumps(
    {
        "event": "dtmf",
        "streamSid": STREAM,
        "sequenceNumber": "5",
        "dtmf": {"track": "inbound_track", "digit": "1"},
    }
)
MARK = json.dumps({"event": "mark", "sequenceNumber": "4", "streamSid": STREAM, "mark": {"name": "said"}})
STOP = json.dumps(
    {
        "event": "stop",
        "sequenceNumber": "5",
        "streamSid": STREAM,
        "stop": {"accountSid": ACCOUNT, "callSid": LEG},
    }
)
