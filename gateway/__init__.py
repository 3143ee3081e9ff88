"""The way from people and programs to Triton, and what they take away: results."""
