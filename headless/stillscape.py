"""Turn a photo into a 3D scene and a film from the command line.

    python headless/stillscape.py render PHOTO -o film.mp4
    blender -b --factory-startup --python-exit-code 4 -P headless/stillscape.py -- render PHOTO -o film.mp4

Both forms take the same arguments; `--help` lists them. Exit codes: 0 everything is there and verified, 2 wrong usage,
3 bad input, 4 render error, 5 no room or no permission, 6 the named device is missing, 75 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The extension's code lies beside this folder, in the repository as in the zip.
ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

try:
    from headless.commands import main
except ModuleNotFoundError as error:  # a Python that was not set up for it
    if error.name != "numpy":
        raise
    sys.stderr.write(f"Stillscape: {sys.executable} has no numpy; run make test once and use .venv/bin/python, or run it inside Blender.\n")
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main(sys.argv))
