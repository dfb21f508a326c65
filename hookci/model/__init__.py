"""The words of hookci as frozen values: no input, no output, no clock."""
