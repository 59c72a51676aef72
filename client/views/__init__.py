"""What is shown of a conversation."""
