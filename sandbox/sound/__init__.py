"""Sound on a telephone line: 8 kHz, one channel, 16 bit inside and mu-law on the wire."""
