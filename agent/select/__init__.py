"""Selection: several candidates for an answer, and which of them wins."""
