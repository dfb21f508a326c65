"""The only room that starts processes; every one gets an explicit cwd, a whole environment and a deadline."""
