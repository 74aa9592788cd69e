"""Engines that check the code of a Linux tree, its known findings told apart from what is new."""
