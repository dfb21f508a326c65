"""What runs at a place now, seen from outside: the checks of a release that tell which commit answers."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.deploy.health import HealthDesk, probe
from hookci.deploy.probes import in_thread, name, wanted
from hookci.execute.environment import expand, expand_all, passed_environment
from hookci.model.status import Running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from hookci.model.environment import Check, Environment
    from hookci.model.release import Release

__all__ = ["looks"]

_SECONDS = 2.0
_NAMED = 7
"""Digits of a commit's name by which it is known again."""


def looks(
    environment: Environment, live: Release, facts: Mapping[str, str], user: Mapping[str, str]
) -> Iterator[Future[Running]]:
    """Ask every address of ``environment`` that is to tell the commit of ``live``, each for 2 s at most.

    No command is run, and no secret read: what would need one is left out.

    Args:
        environment: as the commit of ``live`` describes it.
        live: the release that is to run there.
        facts: the predefined variables of its commit.
        user: the person's variables; those that the config names may become part of an address.
    """
    variables = _variables(environment, live, facts, user)
    for check in environment.health:
        told = [expand(text, variables) for text in (check.version, check.expect, *check.headers.values())]
        address = expand(check.url, variables)
        # what is not known stays as it is written
        if address and any(live.commit[:_NAMED] in text for text in told) and "$" not in "".join([address, *told]):
            yield in_thread(partial(_seen, check, variables))


def _variables(
    environment: Environment, live: Release, facts: Mapping[str, str], user: Mapping[str, str]
) -> dict[str, str]:
    known = {
        **passed_environment(user, environment.pass_env),
        **facts,
        "HOOKCI_ENVIRONMENT": environment.name,
        "CI_ENVIRONMENT_NAME": environment.name,
        "HOOKCI_RELEASE": str(live.number),
        **({"CI_ENVIRONMENT_URL": environment.url} if environment.url else {}),
    }
    known |= expand_all(environment.variables, known)
    secret = {source.name for source in environment.secrets}
    return {name: value for name, value in known.items() if name not in secret}


def _seen(check: Check, variables: Mapping[str, str]) -> Running:
    desk = HealthDesk(
        variables=variables,
        run=lambda _command, _seconds: None,
        cancelled=lambda: None,
        say=lambda _line: None,
        clock=time.monotonic,
    )
    seen = probe(replace(check, timeout=min(check.timeout, _SECONDS)), desk)
    return Running(check=name(check, variables), wanted=wanted(check, variables), seen=seen.seen, as_wanted=seen.ok)
