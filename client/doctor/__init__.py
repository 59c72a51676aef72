"""`superwhisper doctor`: everything that a newcomer gets wrong, and the mend of each."""
