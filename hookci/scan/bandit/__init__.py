"""The adapter of bandit, which looks for known weaknesses in Python source (https://bandit.readthedocs.io)."""
