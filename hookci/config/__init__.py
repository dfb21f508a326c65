"""From the bytes of a snapshot's config to a `Pipeline`, or to one `ConfigError` with every problem in it.

Two layers, kept apart: *structure* (`schema`, `structure`: which keys, which types, which words; the same that
`jsonschema` tells editors) and *meaning* (`jobs`, `rules`, `needs`, `environments`: names that exist, graphs without
cycles, durations, globs and expressions that can be read).
"""
