"""The story of a night, played with real processes on a telephone network of its own."""
