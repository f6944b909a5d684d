"""What the site does beyond stock Material: a Markdown extension and plain scripts before and after the build."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
