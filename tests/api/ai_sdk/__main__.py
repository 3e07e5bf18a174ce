"""`python -m tests.api.ai_sdk FOLDER` installs the AI SDK in a folder."""

import sys
from pathlib import Path

from tests.api.ai_sdk import install

install(Path(sys.argv[1]))
