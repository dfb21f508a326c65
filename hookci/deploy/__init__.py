"""Deployments: from a green commit to a release that is healthy, or back to the one before."""
