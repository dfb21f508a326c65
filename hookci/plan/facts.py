"""What the rules of a pipeline may know beside the tree, with a note of all that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.errors import ConfigError, ConfigProblem
from hookci.model.digests import sha256
from hookci.model.expression import evaluate
from hookci.model.globs import any_matches, name_matches, ruby_matcher
from hookci.model.patterns import pattern
from hookci.model.pipeline import When
from hookci.model.slugs import slug
from hookci.model.snapshot import DEPLOYS, FORK_POINT, IS_NEW, MERGE_REQUEST, NUMBERS, SKIPS, SOME_NUMBER
from hookci.model.variables import expand_existing, expand_for_gitlab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hookci.model.pipeline import Job, Pipeline, Rule
    from hookci.model.snapshot import Snapshot
    from hookci.plan.wishes import Wishes

__all__ = ["Facts"]

_PREDEFINED = pattern(r"\b(?:(?:HOOKCI|CI)_[A-Z0-9_]+|GITLAB_USER_(?:NAME|EMAIL))\b")
_ONLY_SERVERS = (
    "CI_COMMIT_REF_PROTECTED", "CI_PAGES_DOMAIN", "CI_PAGES_URL", "CI_PIPELINE_IID", "CI_PROJECT_DESCRIPTION",
    "CI_PROJECT_ID", "CI_PROJECT_NAMESPACE_ID", "CI_PROJECT_REPOSITORY_LANGUAGES", "CI_PROJECT_TITLE",
    "CI_PROJECT_VISIBILITY", "CI_REGISTRY", "CI_REGISTRY_IMAGE", "CI_SERVER_REVISION", "CI_SERVER_VERSION",
    "CI_SERVER_VERSION_MAJOR", "CI_SERVER_VERSION_MINOR", "CI_SERVER_VERSION_PATCH", "GITLAB_FEATURES",
    "GITLAB_USER_ID", "GITLAB_USER_LOGIN",
)  # fmt: skip
"""Variables that rules can ask for on GitLab in every pipeline."""


class Facts(Struct, frozen=True, kw_only=True):
    """What one pipeline may know; ``read`` is what was looked at, shared with the pipelines that it starts.

    ``given`` are variables that win over those of jobs; ``prefix`` is what the plan puts in front of their names.
    ``far`` are the variables that conditions ask for and only a server knows, shared in the same way.
    """

    pipeline: Pipeline
    snapshot: Snapshot
    hook: str
    paths: Callable[[], Iterable[str]]
    wishes: Wishes
    given: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    read: dict[str, str | None] = field(default_factory=dict)
    far: dict[str, None] = field(default_factory=dict)

    def of(self, starter: str, pipeline: Pipeline, given: Mapping[str, str]) -> Facts:
        """Those of the pipeline that the job ``starter`` starts."""
        return replace(self, pipeline=pipeline, given=given, prefix=f"{self.prefix}{starter}/")

    def value(self, name: str, variables: Mapping[str, str], job: Job | None = None) -> str | None:
        """A variable as it is written: a given one, then the job's own, then the predefined ones."""
        if name in self.given:
            return self.given[name]
        if name in variables:
            return variables[name]
        return self._predefined(name, variables, job)

    def _predefined(self, name: str, variables: Mapping[str, str], job: Job | None) -> str | None:
        if name == "HOOKCI_HOOK":
            return self.hook
        constant = self._constants(name, variables, job).get(name) if self.pipeline.gitlab else None
        if constant is not None:
            return constant
        self.read[name] = self.snapshot.facts.get(name)
        return self.read[name]

    def _constants(self, name: str, variables: Mapping[str, str], job: Job | None) -> Mapping[str, str]:
        """What GitLab says in every pipeline, or of a job, and what follows from the tree; at least of ``name``."""
        if name.startswith("CI_ENVIRONMENT_"):
            return self._environment(variables, job)
        always = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_SERVER": "yes",
            "CI_SERVER_NAME": "GitLab",
            "CI_CONFIG_PATH": self.pipeline.source,
        }
        if job is None:
            return always
        named = {"CI_JOB_NAME": job.name, "CI_JOB_NAME_SLUG": slug(job.name), "CI_JOB_GROUP_NAME": job.group}
        manual = {"CI_JOB_MANUAL": "true"} if job.when is When.MANUAL else {}
        return {**always, **named, **manual, "CI_JOB_STAGE": job.stage, "CI_NODE_TOTAL": "1"}

    def _environment(self, variables: Mapping[str, str], job: Job | None) -> Mapping[str, str]:
        """What GitLab says of what a job deploys to."""
        if job is None or job.environment is None:
            return {}
        from hookci.model.deployed import environment_facts  # noqa: PLC0415 (few jobs deploy)

        elsewhere = replace(job, environment=None)  # nothing in its name is told by its name
        return environment_facts(
            job.environment, lambda text, told: self.expanded(text, {**told, **variables}, elsewhere)
        )

    def _asked(self, name: str, variables: Mapping[str, str], job: Job | None) -> str | None:
        """A variable as ``rules: if`` sees it; one that only a server knows is noted."""
        value = self.value(name, variables, job)
        if value is None and self.pipeline.gitlab and name.startswith(("CI_", "GITLAB_")):
            return self._far(name)
        return value

    def _far(self, name: str) -> str | None:
        """What a condition sees of a variable that GitLab may know, and nobody here."""
        of_merge_request = name.startswith("CI_MERGE_REQUEST_")
        if not of_merge_request and name not in _ONLY_SERVERS:
            return None
        if of_merge_request:
            source = self.read["CI_PIPELINE_SOURCE"] = self.snapshot.facts.get("CI_PIPELINE_SOURCE")
            if source != MERGE_REQUEST:
                return None
        self.far[name] = None
        return SOME_NUMBER if name in NUMBERS else None

    def mentioned(self, job: Job) -> tuple[str, ...]:
        """The predefined variables that a job's own text names; they count as looked at, set or not."""
        names = {name for text in _texts(job) for name in _PREDEFINED.findall(text)}
        if job.scan is not None and job.scan.decides:
            # what is new depends on what is there already, and what a push adds on the commits it sends
            names |= {FORK_POINT} if job.scan.tool != "secrets" else {FORK_POINT, "HOOKCI_BASE", "HOOKCI_COMMIT"}
        self.read.update((name, self.snapshot.facts.get(name)) for name in names)
        return tuple(sorted(names))

    def deploys(self, environment: str) -> bool:
        """Whether nothing keeps a job from deploying to ``environment``."""
        if self.wishes.deploys is None:
            return True
        if self.follows(environment):
            return False
        self.read[DEPLOYS] = ",".join(sorted(self.wishes.deploys))
        return environment in self.wishes.deploys

    @property
    def skips(self) -> bool:
        """Whether the commit asks for no pipeline; one that a job starts is not asked."""
        if not self.pipeline.gitlab or self.prefix or not self.snapshot.skips:
            return False
        # one that does not ask is looked at for all it has, so what came of it holds for one that asks as well
        self.read[SKIPS] = self.snapshot.fact(SKIPS)
        return True

    def follows(self, environment: str) -> bool:
        """Whether ``environment`` is deployed by itself once its branch has moved."""
        from hookci.model.environment import Trigger  # noqa: PLC0415 (few jobs deploy, and a hook pays for it)

        described = self.pipeline.environments.get(environment)
        return described is not None and described.trigger is Trigger.ON_MERGE

    def expanded(self, text: str, variables: Mapping[str, str], job: Job | None = None, *, keep: bool = False) -> str:
        """``text`` with its variables in place, as GitLab does before anything runs.

        They may refer to each other; in a circle, the one that is predefined is meant.  With ``keep`` what nobody knows
        stays in the text as it stands.
        """
        done: dict[str, str | None] = {}

        def value(name: str, asking: frozenset[str]) -> str | None:
            if name in asking:
                return self._predefined(name, variables, job)
            if name not in done:
                done[name] = self.value(name, variables, job)
                found = done[name]
                if found is not None and self._refers(name, variables, job):
                    done[name] = expand_for_gitlab(found, lambda other: value(other, asking | {name}))
            return done[name]

        return (expand_existing if keep else expand_for_gitlab)(text, lambda name: value(name, frozenset()))

    def _refers(self, name: str, variables: Mapping[str, str], job: Job | None) -> bool:
        """Whether what is written in a variable's value may be other variables."""
        return name in self.given or (name in variables and (job is None or name not in job.raw))

    # -- rules

    def first(self, rules: Iterable[Rule], variables: Mapping[str, str], job: Job | None = None) -> int | None:
        """The first of ``rules`` that holds, by its place; None when none does."""
        return next((place for place, rule in enumerate(rules) if self._holds(rule, place, variables, job)), None)

    def _holds(self, rule: Rule, place: int, variables: Mapping[str, str], job: Job | None) -> bool:
        """Whether all conditions of a rule are met."""
        condition = rule.condition
        return (
            (not rule.hook or any(name_matches(pattern, self.hook) for pattern in rule.hook))
            and self._named(rule.branch, "HOOKCI_BRANCH", self.snapshot.branch)
            and self._named(rule.tag, "HOOKCI_TAG", self.snapshot.tag)
            and (condition is None or evaluate(condition, lambda name: self._asked(name, variables, job)))
            and (not rule.changes or self._changed(rule, place, variables, job))
            and (not rule.exists or self._match(rule.exists, self.paths(), variables, job))
        )

    def _named(self, patterns: tuple[str, ...], fact: str, name: str | None) -> bool:
        if not patterns:
            return True
        self.read[fact] = name
        return name is not None and any(name_matches(pattern, name) for pattern in patterns)

    def _changed(self, rule: Rule, place: int, variables: Mapping[str, str], job: Job | None) -> bool:
        if rule.compare_to is not None:
            return self._match(rule.changes, self._since(rule.compare_to, place, variables, job), variables, job)
        self.read["HOOKCI_BASE"] = self.snapshot.base
        if self.pipeline.gitlab:
            self.read[IS_NEW] = self.snapshot.fact(IS_NEW)
        if self.pipeline.gitlab and self.snapshot.has_no_base:
            return True
        changed = self.wishes.changed_since(None)
        return changed is None or self._match(rule.changes, changed, variables, job)

    def _since(self, compare_to: str, place: int, variables: Mapping[str, str], job: Job | None) -> tuple[str, ...]:
        revision = self.expanded(compare_to, variables, job, keep=True)
        changed = self.wishes.changed_since(revision)
        if changed is None:
            path = f"{job.group if job else 'workflow'}.rules[{place}].changes.compare_to"
            message = f"`{revision}` is not a valid ref"
            problem = ConfigProblem(path, message, f"`git fetch origin {revision}` if it is a branch there")
            raise ConfigError(self.pipeline.source, (problem,))
        self.read[f"changed since {revision}"] = sha256("\0".join(changed).encode(errors="surrogateescape")).hexdigest()
        return changed

    def _match(
        self, patterns: tuple[str, ...], paths: Iterable[str], variables: Mapping[str, str], job: Job | None
    ) -> bool:
        if not self.pipeline.gitlab:
            return any_matches(patterns, paths) is not None
        tests = [ruby_matcher(self.expanded(pattern, variables, job, keep=True)) for pattern in patterns]
        return any(test(path) for path in paths for test in tests)


def _texts(job: Job) -> Iterator[str]:
    """All that a job's config says in words in which a variable may stand."""
    yield from (*job.before_checkout, *job.before_script, *job.script, *job.after_script, *job.variables.values())
    for cache in job.cache:
        yield from (cache.key, cache.policy_from or "", *cache.fallback_keys, *cache.paths)
    yield from (*job.artifacts.paths, *job.artifacts.exclude, *job.artifacts.dotenv, *job.junit)
    # an image, a service or an environment is little text, and which of it may hold variables is for others to say
    yield repr((job.image, job.services, job.build, job.environment))
