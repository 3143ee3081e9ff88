"""Training of 3D CNNs on whole volumes: labelled studies in, a network and its card out."""
