"""What hookci costs, measured side by side with others; nothing here is part of hookci."""
