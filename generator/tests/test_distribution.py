"""What an index of packages gets: the archives, and the page that it shows."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from generator.tests import documents

REPOSITORY = "https://repository.example/owner/name"
# In brackets, as a reference, and in HTML.
_RELATIVE = re.compile(
    r"""\]\((?!https://)|^\[[^\]]+\]:\s+(?!https://)|(?:src|href)=.(?!https://)""",
    re.MULTILINE,
)
FILES = {
    file.relative_to(documents.GENERATOR).as_posix()
    for folder in ("src", "docs")
    for file in (documents.GENERATOR / folder).rglob("*")
    if file.is_file() and file.suffix != ".pyc"
}


def _build(sources: Path, kind: str, folder: Path) -> Path:
    command = (sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder)
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    [archive] = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the source distribution, unpacked."""
    archive = _build(documents.GENERATOR, "sdist", tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("sources")
    with tarfile.open(archive) as opened:
        # Not as an argument: Python before 3.11.4 takes none.
        opened.extraction_filter = getattr(tarfile, "data_filter", None)
        opened.extractall(unpacked)  # noqa: S202 - our own, and filtered
    [top] = unpacked.iterdir()
    return top


@pytest.fixture(scope="module", params=["", REPOSITORY])
def wheel(
    request: pytest.FixtureRequest,
    sources: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, zipfile.ZipFile]:
    """Give the wheel of the source distribution, without a repository and with one."""
    project = sources / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    line = f'repository = "{request.param}"'
    project.write_text(re.sub('repository = ".*"', line, text), encoding="utf-8")
    archive = _build(sources, "wheel", tmp_path_factory.mktemp("wheel"))
    return request.param, zipfile.ZipFile(archive)


def test_the_source_distribution_holds_what_users_build_and_read(sources: Path) -> None:
    """It has the package, its documents and what builds it, and no tests."""
    found = {str(f.relative_to(sources)) for f in sources.rglob("*") if f.is_file()}
    own = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "hatch_build.py"}
    # hatchling adds these two.
    assert found == FILES | own | {"PKG-INFO", ".gitignore"}


def test_the_wheel_holds_the_package(wheel: tuple[str, zipfile.ZipFile]) -> None:
    """Beside the package there is its metadata, with the licence, and nothing else."""
    _, opened = wheel
    info = re.compile(r"sqlc_gen_psycopg-[\d.]+\.dist-info/")
    names = {info.sub("", name) for name in opened.namelist()}
    package = {name.removeprefix("src/") for name in FILES if name.startswith("src/")}
    metadata = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert names == package | metadata


def test_no_link_of_the_page_is_relative(wheel: tuple[str, zipfile.ZipFile]) -> None:
    """Links to our files lead into the repository; without one they are names."""
    repository, opened = wheel
    [name] = [name for name in opened.namelist() if name.endswith("/METADATA")]
    metadata = message_from_bytes(opened.read(name))
    page = str(metadata.get_payload())
    ours = {target for target, _ in documents.links(documents.README)}
    assert "docs/guide.md" in ours
    assert _RELATIVE.findall(page) == []
    folder = f"{repository}/blob/HEAD/generator/"
    for target in ours:
        shown = f"]({folder}{target}" if repository else f"(`{target}` in the source"
        assert shown in page
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert {*urls} == (
        {"Documentation", "Changelog", "Source", "Issues"} if repository else set()
    )
    assert all(url.startswith(f"{repository}/") for url in urls.values())
