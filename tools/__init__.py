"""What a person types: `deepfeatures` and its commands, and what makes the shipped model."""
