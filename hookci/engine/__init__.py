"""Container engines: the only room that talks to one, through the `docker` package (the Docker Engine API)."""
