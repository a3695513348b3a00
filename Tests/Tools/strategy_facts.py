"""Writes the facts of every page in docs/strategies, and of docs/files.md, anew: make facts.

What stands between the two marks is the program's (`fedsim explain NAME --markdown`); the rest of a
page is prose.
"""

import pathlib
import re
import subprocess
import sys

BEGIN = "<!-- facts: fedsim explain {kind} --markdown -->\n"
END = "<!-- end of facts -->\n"


def main() -> None:
    program = sys.argv[1]
    docs = pathlib.Path(__file__).parents[2] / "docs"
    for page in [*sorted((docs / "strategies").glob("*.md")), docs / "files.md"]:
        text = page.read_text()
        kind = "files" if page.parent == docs else re.search(
            r"^`([a-z0-9-]+)`", text, re.M).group(1)
        explain = [program, "explain", kind, "--markdown"]
        facts = subprocess.run(explain, capture_output=True, text=True, check=True).stdout
        block = BEGIN.format(kind=kind) + facts + END
        if "<!-- facts" in text:
            head, rest = text.split("<!-- facts", 1)
            tail = rest.split(END, 1)[1]
            text = head + block + tail
        else:
            place = text.index("## ")
            text = text[:place] + "## Facts\n\n" + block + "\n" + text[place:]
        page.write_text(text)


if __name__ == "__main__":
    main()
