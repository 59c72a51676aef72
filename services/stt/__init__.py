"""The ears: speech in, text out."""
