"""The conversation: ears, mind and mouth behind one stream."""
