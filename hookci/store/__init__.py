"""State below the git common directory: runs, logs and locks, private to one user."""
