"""Synthetic chest CT studies of two classes, for training the default model and checking it."""
