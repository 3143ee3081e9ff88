"""Our conversion next to another converter's: read, paired, measured, and put into words."""
