"""What the tests share."""

import sys
from pathlib import Path

# `import exact`, wherever pytest is started.
sys.path.insert(0, str(Path(__file__).parent))
