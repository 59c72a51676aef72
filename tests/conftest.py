"""What all tests share."""

import os

from hypothesis import settings

# Settings of whoever runs the tests must not decide how they end.
for _name in [name for name in os.environ if name.startswith("SUPERWHISPER_")]:
    del os.environ[_name]
# gRPC's own log lines about connections that tests break on purpose.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")


# The machine may be busy: an example that takes long is no failure.
settings.register_profile("suite", deadline=None, max_examples=60)
settings.load_profile("suite")
