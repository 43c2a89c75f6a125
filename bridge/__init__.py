"""The sidecar that carries a leg's audio to the speech model and back."""
