"""Ears, mind and mouth of known speed, as real gRPC services that need no model and start within a second.

    python -m tests.fakes.scripted_services stt --port 50051 --decode-ms 60
    python -m tests.fakes.scripted_services llm --port 50052 --first-token-ms 80 --tokens-per-s 60
    python -m tests.fakes.scripted_services tts --port 50053

What is said to the ears is coded in the audio (script.py). Each writes to its output, as a line of JSON, when what of
a call happened (records.py).
"""
