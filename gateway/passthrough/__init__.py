"""Triton's own protocol behind the gateway's login: what clients of inferences need, no more."""
