"""Figures: sums and rates."""
