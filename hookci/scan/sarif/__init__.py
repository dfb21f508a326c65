"""What a job's own scanner says, read from the SARIF report that it wrote."""
