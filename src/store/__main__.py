"""`python -m store …` is `store …`."""

import sys

from .cli.main import main

sys.exit(main())
