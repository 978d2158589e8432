"""What happens when somebody types `astrolabe`?"""

import sys
from io import TextIOWrapper

from astrolabe_http.cli.root import astrolabe


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a question mark, not a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    astrolabe(prog_name="astrolabe")


if __name__ == "__main__":
    main()
