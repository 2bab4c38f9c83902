"""Folders on disk, read as the vendor's data sets."""
