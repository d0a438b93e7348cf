"""The session: questions that follow one another, with commands, in a terminal or from a pipe."""
