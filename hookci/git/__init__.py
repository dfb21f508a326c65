"""The only room that says git."""
