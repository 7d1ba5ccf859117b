"""Sentence templates."""
