"""Started as a program of its own: Safety's check of pinned versions against a mirror of its database.

Safety's command line asks its login server before it reads any database, and gives up without one; the functions
below that command line do not.  They are not a public interface: they are those of safety 3.8 (``safety.safety``,
``check`` and ``fetch_database``).  The report has the keys of ``safety check --output json``, and ``made``, the
database's own date in unix seconds (0: it has none); exit statuses are those of the command line.

Arguments: where Safety was found, the mirror (a directory or an address), a file of ``name==version`` lines, and an
empty directory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

__all__: list[str] = []

_FILES = {False: "insecure.json", True: "insecure_full.json"}

_DAMAGED = 69  # safety.constants.EXIT_CODE_MALFORMED_DB


def _main() -> None:
    where, mirror, requirements, directory = sys.argv[1:]
    if where not in sys.path:
        sys.path.append(where)
    from safety.errors import SafetyError  # type: ignore[import-untyped]  # noqa: PLC0415 (untyped; on the path now)

    try:
        report = _report(mirror, Path(requirements), Path(directory))
    except (SafetyError, ValueError, KeyError) as error:
        print(repr(error), file=sys.stderr)  # noqa: T201 (this is a program)
        sys.exit(error.get_exit_code() if isinstance(error, SafetyError) else _DAMAGED)
    print(json.dumps(report))  # noqa: T201 (this is a program)


def _report(mirror: str, requirements: Path, directory: Path) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 (it is on the path only now)
    from safety.safety import check, get_packages  # type: ignore[import-untyped]  # noqa: PLC0415 (the same)

    platform = SimpleNamespace(
        api_key=None,
        http_client=httpx.Client(),
        get_authentication_type=lambda: None,
        is_using_auth_credentials=lambda: False,
    )
    auth = SimpleNamespace(platform=platform)
    database = _copied(auth, mirror, directory)
    with requirements.open(encoding="utf-8") as file:
        packages = get_packages([file])
    for package in packages:
        _insist_on_advisories(database, package.name, mirror)
    found, _database = check(
        auth=auth,
        packages=packages,
        db_mirror=str(directory),
        ignore_vulns={},
        include_ignored=True,
        is_env_scan=False,
        telemetry=False,
        params={},
    )
    return {
        "scanned_packages": {package.name: package.version for package in packages},
        "vulnerabilities": [vulnerability.to_dict() | {"analyzed_requirement": ""} for vulnerability in found],
        "made": database[False]["meta"].get("timestamp", 0),
    }


def _copied(auth: Any, mirror: str, directory: Path) -> dict[bool, dict[str, Any]]:  # noqa: ANN401 (Safety's)
    """Both files of the mirror, in the schema that this Safety reads; also in ``directory``, so that they stay one."""
    from safety.safety import fetch_database  # noqa: PLC0415 (it is on the path only now)

    files = {}
    for full, name in _FILES.items():
        files[full] = fetch_database(auth=auth, full=full, db=mirror, telemetry=False)
        (directory / name).write_text(json.dumps(files[full]), encoding="utf-8")
    return files


def _insist_on_advisories(database: dict[bool, dict[str, Any]], name: str, mirror: str) -> None:
    """Refuse a database that calls a version insecure without saying why: Safety leaves that out of its report."""
    from safety.errors import MalformedDatabase  # noqa: PLC0415 (it is on the path only now)

    entries = database[True]["vulnerable_packages"].get(name, [])
    told = {spec for entry in entries for spec in entry["specs"]}
    named = all(any(known["type"] == "pyup" and known["id"] for known in entry["ids"]) for entry in entries)
    if not named or not told.issuperset(database[False]["vulnerable_packages"].get(name, [])):
        raise MalformedDatabase(reason=f"its two files do not agree about {name}", fetched_from=mirror)


if __name__ == "__main__":
    _main()
