"""How a study comes in: admitted, written into shared memory, handed to a Triton, let go of."""
