"""What is written of a session: page, summary, tables."""
