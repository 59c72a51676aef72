"""What a go or a no-go rests on: one file for each kind of evidence."""
