"""The Tritons: which of them answer, what they serve, and how a study gets to one and back."""
