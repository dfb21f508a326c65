"""Dependencies: what a snapshot declares or locks, held against advisories."""
