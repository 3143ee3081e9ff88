"""Models that people publish: pairs of folders in a store, and which of them is served."""
