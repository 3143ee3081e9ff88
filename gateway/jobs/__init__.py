"""Cohorts that end complete: many studies, one model, kept in a database until they expire."""
