"""Read-only SQL over the user's database."""
