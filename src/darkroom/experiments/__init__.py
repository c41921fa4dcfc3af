"""Comparing the runs that MLflow recorded."""
