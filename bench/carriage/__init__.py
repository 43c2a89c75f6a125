"""What it costs to carry audio: a neutral load, a relay to compare with, and the scenes of a barge-in.

`python -m bench.carriage --relay "COMMAND {port} {upstream}"` measures any relay that prints a line with READY.
"""
