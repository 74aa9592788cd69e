"""What all packages need to speak to who sits before the terminal: text, progress, exit codes."""
