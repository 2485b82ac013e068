"""Sliders over a computation. No mathematics here: controls → result → axes."""
