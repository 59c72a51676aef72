"""The client: the `superwhisper` command."""
