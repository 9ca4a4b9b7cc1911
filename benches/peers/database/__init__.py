"""Embedded vector databases side by side: see README.md."""
