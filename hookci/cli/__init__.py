"""The only room that reads arguments, the environment, the current directory and the terminal."""
