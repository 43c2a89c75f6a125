"""Twilio's and OpenAI's side, on this machine. Imports nothing of the product."""
