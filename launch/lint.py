"""Prints lines over 120 characters and links that lead nowhere; exits with 1 if there are any."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

WIDTH = 120
CHECKED = {".swift", ".h", ".modulemap", ".proto", ".py", ".sh", ".sbatch", ".yaml", ".md"}
GENERATED = (".pb.swift",)
ARTICLES = Path("Sources/sprint/Documentation.docc")


def sources():
    """The files whose lines are checked."""
    for place in ["Sources", "Tests", "launch", "configs"]:
        for path in sorted(Path(place).rglob("*")):
            if path.suffix in CHECKED and path.is_file() and not path.name.endswith(GENERATED):
                yield path
    yield from [Path("Package.swift"), Path("README.md"), Path(".ci/run"), Path(".swift-format")]


def long_lines(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        # A row of a table cannot be broken.
        if len(line) > WIDTH and not (path.suffix == ".md" and line.startswith("|")):
            yield f"{path}:{number}: {len(line)} characters, at most {WIDTH} are allowed"


def prose(path):
    """The numbered lines of a Markdown file outside code blocks, without code spans."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code:
            yield number, re.sub(r"`[^`]*`", lambda span: " " * len(span.group()), line)


def anchors(path):
    """The anchors of a file's headings, as GitHub and DocC spell them."""
    is_code, found = False, set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading and not is_code:
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.group(1))
            github = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            docc = re.sub(r"[^\w\-.]+", "-", re.sub(r"[`'\",()/:]", "", text)).strip("-")
            count = sum(1 for name in found if re.fullmatch(re.escape(github) + r"(-\d+)?", name))
            found |= {f"{github}-{count}" if count else github, docc}
    return found


def targets(line):
    """The links of one line: inline, reference definitions, HTML attributes, `<doc:...>` and `<https:...>`."""
    yield from re.findall(r"\]\(\s*<?([^)\s>]+)", line)
    yield from re.findall(r"^\s*\[[^]]+\]:\s*<?([^\s>]+)", line)
    yield from re.findall(r"(?:src|href)=\"([^\"]+)\"", line)
    yield from re.findall(r"<((?:doc|https?):[^>]*)>", line)


def problem(page, target):
    """What is wrong with a link on a page, or None."""
    if re.match(r"https?:", target):
        return None if re.match(r"https?://([\w-]+\.)+\w+(:\d+)?(/\S*)?$", target) else "is no web address"
    if target.startswith("mailto:"):
        return None
    file, _, anchor = target.partition("#")
    if file.startswith("doc:"):
        file = ARTICLES / f"{Path(file[4:]).name}.md" if file != "doc:" else page
    else:
        file = page.parent / unquote(file) if file else page
    if not file.exists():
        return "leads nowhere"
    if anchor and file.suffix == ".md" and unquote(anchor) not in anchors(file):
        return f"has an anchor that is no heading of {file}"
    return None


def dead_links(page):
    for number, line in prose(page):
        for target in targets(line):
            wrong = problem(page, target)
            if wrong:
                yield f"{page}:{number}: the link `{target}` {wrong}"


def main():
    pages = [Path("README.md"), *sorted(ARTICLES.glob("*.md"))]
    found = [text for path in sources() for text in long_lines(path)]
    found += [text for page in pages for text in dead_links(page)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(1 if found else 0)


main()
