"""Running a plan: order, slots, deadlines, cancelling; and what runs one job."""
