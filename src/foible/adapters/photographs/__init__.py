"""Photographs in folders and datasets on disk."""
