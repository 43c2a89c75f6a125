"""What is done to the world: telephone, messages, push, schedule look-up."""
