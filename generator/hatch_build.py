"""The README as a page that stands alone, on an index of packages."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)")


class StandaloneReadme(MetadataHookInterface):
    """Lets relative links lead to the repository, or names the files."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme, and the URLs if the repository is known."""
        link = r"\1 (`\2` in the source distribution)"
        metadata["urls"] = {}
        # hatchling leaves the mapping untyped.
        repository = str(self.config["repository"])  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType]
        if repository:
            folder = f"{repository}/blob/HEAD/generator"
            link = rf"[\1]({folder}/\2)"
            metadata["urls"] = {
                "Documentation": f"{folder}/docs/guide.md",
                "Changelog": f"{folder}/CHANGELOG.md",
                "Source": f"{repository}/tree/HEAD/generator",
                "Issues": f"{repository}/issues",
            }
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        page = {"content-type": "text/markdown", "text": _RELATIVE.sub(link, text)}
        metadata["readme"] = page
