"""Keeping what hookci writes within bounds: what there is of a repository, what has to go, and clearing it away."""
