"""The mouth: text in, speech out."""
