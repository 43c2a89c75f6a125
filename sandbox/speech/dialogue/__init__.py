"""The dialogue: rules that take an emergency call. Deterministic; it promises nothing and invents nothing."""
