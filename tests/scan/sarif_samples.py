"""Reports to read, and the tree that they are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookci.scan.sarif.reader import read_sarif

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.finding import Finding
    from hookci.scan.adapter import Scanned

__all__ = ["TOKEN", "TOP", "TREE", "finding", "log", "read", "real", "result"]

TOP = "/srv/project"
TOKEN = "gh" + "p_" + "q" * 36

_RUN = '''"""Small things that scanners have an opinion on."""
import subprocess
import os


def start(command):
    label = "\N{ROCKET}"; subprocess.call(command, shell=True)
    return label


def quiet(command):
    os.system(command)  # nosec B605
    os.system(command)  # nosemgrep


def check(value):
    assert value, "\u00e9"
'''

TREE: Mapping[str, str] = {
    "app/run.py": _RUN,
    "app/with space/\u00fcn\u00ef.py": "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n",
    "app/broken.py": "def broken(:\n    pass\n",
    "app/latin.py": 'x = "caf\ufffd"\n',
    "app/token.py": f'name = "x"\ntoken = "{TOKEN}"\n',
    "web/index.js": (
        '// \N{ROCKET} start\nfunction run(input) {\n  const rocket = "\N{ROCKET}"; eval(input); var unused = 1;\n}\n'
    ),
    "web/broken.js": "function (\n",
    "web/copy.c": "#include <string.h>\nvoid copy(char *to, const char *from) { strcpy(to, from); }\n",
}


def real(name: str) -> Scanned:
    """What is read from one of the reports of `sarif_reports`."""
    data = (Path(__file__).parent / "sarif_reports" / f"{name}.sarif").read_bytes()
    return read_sarif(data, known=TREE.get, top=TOP)


def result(**properties: object) -> dict[str, Any]:
    """A result in line 12 of `app/run.py`; ``properties`` add to it."""
    where = {"artifactLocation": {"uri": "app/run.py"}, "region": {"startLine": 12}}
    made = {"ruleId": "R1", "message": {"text": "bad"}, "locations": [{"physicalLocation": where}]}
    return {**made, **properties}


def log(*results: object, **run: object) -> dict[str, Any]:
    """A report of one run; ``run`` adds to it."""
    made = {"tool": {"driver": {"name": "Probe"}}, "results": list(results)}
    return {"version": "2.1.0", "runs": [{**made, **run}]}


def read(report: object, tree: Mapping[str, str] = TREE) -> Scanned:
    """What is read from ``report``, written as JSON."""
    return read_sarif(json.dumps(report).encode(), known=tree.get, top=TOP)


def finding(report: object, tree: Mapping[str, str] = TREE) -> Finding:
    """The only finding of ``report``."""
    (found,) = read(report, tree).findings
    return found
