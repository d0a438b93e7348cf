"""The text browser: pages as numbered lines and links."""
