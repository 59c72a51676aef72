"""Makes a small voice that Piper's own code loads, for tests and for trying out: it hums and hisses, it does not speak.

Examples:
  python -m scripts.made_voice .run/models/made
  python -m scripts.made_voice .run/models/made --language en_US --speakers 2
  python -m scripts.made_voice .run/models/made --rate 16000 --no-durations
"""

import argparse
from pathlib import Path

from scripts.made_voice.build import MadeVoice, build


def main() -> None:
    """Makes the voice that the command line describes, and says where it is."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.made_voice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the .onnx and its .onnx.json are written")
    parser.add_argument("--language", default=MadeVoice.language, help="such as fr_FR (the default) or en_US")
    parser.add_argument("--rate", type=int, default=MadeVoice.rate_hz, help="in Hz; 22050 unless told")
    parser.add_argument("--speakers", type=int, choices=(1, 2), default=1, help="two are a man and a woman")
    parser.add_argument("--no-durations", dest="durations", action="store_false", help="as most voices of Piper are")
    asked = parser.parse_args()
    voice = MadeVoice(asked.language, rate_hz=asked.rate, speakers=asked.speakers, durations=asked.durations)
    print(build(asked.folder, voice))


if __name__ == "__main__":
    main()
