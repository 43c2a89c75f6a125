"""The owner's file: people, rotations, ladders, lines; checked, and read as a calendar."""
