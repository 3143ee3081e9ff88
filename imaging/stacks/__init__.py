"""Stacks: the slices of a series, whatever objects hold them, parted into single volumes."""
