"""A stand-in for Kheops, with its habits, in front of a real Orthanc."""
