"""``hookci doctor``: what keeps hookci from its work in this repository, each with what mends it."""
