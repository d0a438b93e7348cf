"""Checks by code, and the reward."""
