"""Search providers: the local corpus and the live web."""
