"""The client in a room, with a microphone and a loudspeaker that PulseAudio makes up."""
