"""Exact arithmetic that never evaluates the model's text."""
