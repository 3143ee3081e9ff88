"""Rows of features as tables and files. The one part of the gateway that computes with numbers."""
