"""The speech model's side: a server of the Realtime protocol with ears, a voice and a dialogue."""
