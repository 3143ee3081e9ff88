"""Kheops: albums of studies, shared among users; asked with a user's own token."""
