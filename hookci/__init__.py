"""CI/CD that lives in a repository's git hooks."""

__all__ = ["__version__"]

# The one place of the version besides pyproject.toml; a test holds the two together.
# (importlib.metadata would cost more than all else on the hook path.)
__version__ = "0.1.0"
