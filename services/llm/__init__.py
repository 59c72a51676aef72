"""The mind: a conversation in, a reply out."""
