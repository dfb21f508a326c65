"""Secrets in what a commit or push adds, and in whole trees; nothing is ever sent anywhere."""
