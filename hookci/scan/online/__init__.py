"""The dependency scanners that ask a service: Safety and pip-audit, both extras."""
