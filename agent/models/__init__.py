"""Language models: OpenAI-compatible, embedded, scripted."""
