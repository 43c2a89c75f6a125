"""What is measured, a module each: it sets up its own installation and gives figures."""
