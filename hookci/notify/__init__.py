"""Messages to people who do not watch the terminal."""
