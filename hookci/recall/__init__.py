"""What is remembered, held against what is there now; pure."""
