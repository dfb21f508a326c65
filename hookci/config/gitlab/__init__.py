"""Reads ``.gitlab-ci.yml``: from files to one composed document, and from that to a `Pipeline`."""
