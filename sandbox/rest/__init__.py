"""Twilio's REST API, the resources that are used: one module each."""
