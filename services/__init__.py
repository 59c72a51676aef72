"""The four services of SuperWhisper and what they share."""
