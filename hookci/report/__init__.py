"""Turns events and results into what a person sees; decides nothing."""
