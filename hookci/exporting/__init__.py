"""A pipeline for a hosted engine: one hosted job for each job of ``hookci.toml``, that runs it through hookci."""
