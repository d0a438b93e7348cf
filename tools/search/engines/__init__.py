"""The web search engines, one file each."""
