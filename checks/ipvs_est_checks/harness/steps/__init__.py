"""The model and a tree's code side by side, from one common point to the next."""
