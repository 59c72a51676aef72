"""The sound card, and what happens between it and the conversation."""
