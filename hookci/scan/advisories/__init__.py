"""Known vulnerabilities of packages: read from OSV, kept in the user's data directory, asked without a network."""
