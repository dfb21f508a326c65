"""Security scanners: what they are asked, what they found, and what of it is new."""
