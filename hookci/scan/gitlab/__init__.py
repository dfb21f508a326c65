"""The reports that a GitLab job uploads for GitLab to show, as findings."""
