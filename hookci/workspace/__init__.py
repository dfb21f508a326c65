"""Clean checkouts of one snapshot each, and what goes in and out of them."""
