"""The door: Twilio's webhooks, acknowledgement links, alerts."""
