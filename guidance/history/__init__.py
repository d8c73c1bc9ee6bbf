"""The history of sessions: its file, its entries, its command."""
