"""Pure: from a pipeline, a snapshot and what was asked for to the job graph of one run."""

from hookci.plan.asked import Asked, asked_by_hook, names_asked
from hookci.plan.make import make_plan
from hookci.plan.wishes import Wishes

__all__ = ["Asked", "Wishes", "asked_by_hook", "make_plan", "names_asked"]
