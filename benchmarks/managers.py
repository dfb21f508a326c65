"""Pure: the ways to have hooks that are compared, and how each is told what to run."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import OURS

__all__ = ["LEFTHOOK", "MANAGERS", "NO_HOOK", "PREK", "PRE_COMMIT", "Manager"]

NO_HOOK, EMPTY, PREK, LEFTHOOK, PRE_COMMIT = "no hook", "empty hook", "prek", "lefthook", "pre-commit"

_LIST_HEAD = """\
default_install_hook_types: [pre-commit, pre-push]
fail_fast: true
repos:
  - repo: local
    hooks:
"""
_LIST_HOOK = """\
      - id: {name}
        name: {name}
        language: system
        entry: "{command}"
        pass_filenames: false
        always_run: true
        stages: [pre-commit, pre-push]
"""


@dataclass(frozen=True, slots=True)
class Manager:
    """A way to have hooks; ``install`` is the command that makes git run them, none for what has no command."""

    name: str
    config_name: str = ""
    install: tuple[str, ...] = ()

    @property
    def judges(self) -> bool:
        """Whether it runs commands at all."""
        return bool(self.config_name)

    def config(self, **commands: str) -> str:
        """The text that runs ``commands``, by name, on commit and on push; side by side where that can be said."""
        if self.name == OURS:
            jobs = "".join(f"[jobs.{name}]\nscript = ['''{command}''']\n\n" for name, command in commands.items())
            names = ", ".join(f'"{name}"' for name in commands)
            return f"{jobs}[hooks]\npre-commit = [{names}]\npre-push = [{names}]\n"
        if self.name == LEFTHOOK:
            jobs = "".join(f'    - name: {name}\n      run: "{command}"\n' for name, command in commands.items())
            return "".join(f"{hook}:\n  parallel: true\n  jobs:\n{jobs}" for hook in ("pre-commit", "pre-push"))
        # hooks of one priority run side by side in prek, which pre-commit does not know
        together = "        priority: 1\n" if self.name == PREK and len(commands) > 1 else ""
        return _LIST_HEAD + "".join(
            _LIST_HOOK.format(name=name, command=command) + together for name, command in commands.items()
        )


_LIST = ".pre-commit-config.yaml"
MANAGERS = {
    manager.name: manager
    for manager in (
        Manager(NO_HOOK),
        Manager(EMPTY),
        Manager(PREK, _LIST, (PREK, "install")),
        Manager(LEFTHOOK, "lefthook.yml", (LEFTHOOK, "install")),
        Manager(PRE_COMMIT, _LIST, (PRE_COMMIT, "install")),
        Manager(OURS, "hookci.toml", (OURS, "install")),
    )
}
