"""What the model can call: search, browser, maths, SQL."""
