"""What the files for containers have to hold, checked without a container."""
