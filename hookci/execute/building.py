"""Jobs that build an image, and jobs that use what others have built."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.engine.builder import Built, Following, build_image, built_labels, tag_image
from hookci.engine.buildkit import BuildKit
from hookci.engine.context import packed, recipe_of
from hookci.errors import HookciError
from hookci.execute.environment import expand
from hookci.execute.place import Ran
from hookci.model.container import Build, Image, Pull
from hookci.model.dockerfile import bases
from hookci.proc.supervise import Ended
from hookci.workspace.artifacts import BuiltImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.execute.context import RunContext
    from hookci.execute.output import Output
    from hookci.execute.place import Commands, Place
    from hookci.execute.rooms import Rooms
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Cancel
    from hookci.workspace.slot import Slot

__all__ = ["BuildingPlace", "with_built"]


def with_built(context: RunContext, image: Image) -> Image:
    """``image``, by its id if it is one that a job of the pipeline builds.

    Raises:
        HookciError: that job has left none.
    """
    if image.builder is None:
        return image
    for name, planned in context.plan.jobs.items():
        if image.builder in {name, planned.job.group}:
            built = context.artifacts.image(context.passed_in.get(name, context.number), name)
            if built is not None:
                return replace(image, name=built.id, pull=(Pull.NEVER,))
    raise HookciError(f"there is no image of the job `{image.builder}`", f"`hookci run job:{image.builder}` builds it")


def _nothing(*_: object) -> None:
    """It has been told already that the job runs."""


class BuildingPlace(Struct, eq=False):
    """The place of a job that builds an image first: its commands then run in that, or in the image they name.

    ``inside`` makes the place of a job in a container.
    """

    rooms: Rooms
    context: RunContext
    planned: PlannedJob
    slot: Slot
    inside: Callable[[PlannedJob], Place]
    _inner: Place | None = None
    _prepare: Callable[[Place], None] = _nothing
    _say: Callable[[str], None] = _nothing
    _show: Callable[[str, float], None] = _nothing

    @property
    def workspace(self) -> str:
        """The workspace's path in a container."""
        return self.inside(self.planned).workspace

    def run_first(self, commands: Commands, output: Output) -> Ran:
        """Run commands where the job's others run."""
        return self.inside(self.planned).run_first(commands, output)

    def begin(self, environment: Mapping[str, str]) -> None:
        """Nothing, as in `prepare`."""

    def prepare(self, environment: Mapping[str, str], output: Output, cancel: Cancel) -> None:
        """Building is a part of the job, with its deadline and its failures, so nothing is done before."""
        self._prepare = lambda place: place.prepare(environment, output, cancel)
        self._say, self._show = output.say, output.show

    def run(self, commands: Commands) -> Ran:
        """Build the image, then run the commands, which have what is left of the time."""
        if self._inner is not None:
            return self._inner.run(commands)
        if commands.name == "after":
            self._say("hookci: after_script did not run: there is no container it could run in")
            return Ran(Ended("exit", 0, 0.0))
        job = self.planned.job
        ran, image = _Building(self.rooms, self.context, job, self.slot, self._say, self._show).run(commands)
        if image is None or not commands.texts:
            return ran
        self._inner = self.inside(_using(self.planned, image))
        self._prepare(self._inner)
        seconds = ran.ended.seconds
        ran = self._inner.run(replace(commands, timeout=max(0.0, commands.timeout - seconds), started=_nothing))
        return replace(ran, ended=replace(ran.ended, seconds=ran.ended.seconds + seconds))

    def bring_back(self, patterns: Sequence[str]) -> None:
        """Have what the commands left; building leaves nothing in the workspace."""
        if self._inner is not None:
            self._inner.bring_back(patterns)

    def close(self) -> None:
        """Leave nothing behind but the workspace and the image."""
        if self._inner is not None:
            self._inner.close()


def _using(planned: PlannedJob, image: str) -> PlannedJob:
    """The same job once its image is built: one that runs in a container, in that image unless it names another."""
    used = planned.job.image or Image(name=image, pull=(Pull.NEVER,))
    return replace(planned, job=replace(planned.job, image=used, build=None))


class _Building(Struct, frozen=True):
    """A job that builds an image, in the workspace of ``slot``.

    ``say`` adds a line of hookci's own to its output, ``show`` tells how far a pull is.
    """

    rooms: Rooms
    context: RunContext
    job: Job
    slot: Slot
    say: Callable[[str], None]
    show: Callable[[str, float], None]

    def run(self, commands: Commands) -> tuple[Ran, str | None]:
        """Build the image, name it and write it down; how that ended, and the image's id if there is one.

        Args:
            commands: the environment, where the output goes, and what ends it; its texts are none of ours.

        Raises:
            HookciError: nobody knows whether it can be built.
        """
        begun = time.monotonic()
        commands.started()
        build = _expanded(self.job.build or Build(), commands.environment)
        workspace = Path(os.fsdecode(self.slot.workspace))
        recipe = recipe_of(workspace, build)
        if recipe is None:
            reason = f"there is no `{os.path.normpath(os.path.join(build.context, build.dockerfile))}`"  # noqa: PTH118 (text)
            return Ran(Ended("exit", 1, 0.0), reason=reason), None
        try:
            self._fetch_bases(recipe, build, commands)
        except HookciError:
            if commands.cancel.reason is None:
                raise
        following = Following(
            sink=commands.sink, timeout=commands.timeout - (time.monotonic() - begun), cancel=commands.cancel
        )
        built = self._built(workspace, build, following)
        if built.image is not None:
            self._keep(built.image, build)
        return Ran(replace(built.ended, seconds=time.monotonic() - begun), built.step), built.image

    def _fetch_bases(self, recipe: Path, build: Build, commands: Commands) -> None:
        """Have what it starts from on the engine, so that which image a name means is the same for all that ask."""
        pull = (Pull.ALWAYS if build.pull else Pull.IF_NOT_PRESENT,)
        for name, platform in bases(recipe.read_text(encoding="utf-8", errors="replace"), build.args, build.target):
            image = Image(name=name, platform=platform, pull=pull)
            self.rooms.desk.images.ensure(image, self.say, commands.cancel, self.show)

    def _built(self, workspace: Path, build: Build, following: Following) -> Built:
        engine, labels = self.rooms.desk.engine, built_labels(self.rooms.owner)
        with packed(workspace, build, self.slot.directory) as context:
            kit = self._buildkit()
            built = kit.build(engine, context, build, labels, following) if kit else None
            return built or build_image(engine, context, build, labels, following)

    def _buildkit(self) -> BuildKit | None:
        user = self.context.user
        program = self.context.which("docker", user.get("PATH", os.defpath))
        if program is None:
            return None
        return BuildKit(program=program, user=user, directory=self.slot.directory, token=self.slot.token)

    def _keep(self, image: str, build: Build) -> None:
        engine, context = self.rooms.desk.engine, self.context
        # a name that is ours alone: what has none is for any clean-up of the engine to take
        own = f"hookci/{_slug(context.slots.name)}/{_slug(self.job.name)}:{image.removeprefix('sha256:')[:12]}"
        for name in (own, *build.tags):
            tag_image(engine, image, name)
        context.artifacts.save_image(context.number, self.job.name, BuiltImage(image, engine.name, build.tags))
        self.say(f"hookci: the image is {image}" + (f", named {', '.join(build.tags)}" if build.tags else ""))


def _expanded(build: Build, environment: Mapping[str, str]) -> Build:
    args = {name: expand(value, environment) for name, value in build.args.items()}
    return replace(build, args=args, tags=tuple(expand(tag, environment) for tag in build.tags))


def _slug(name: str) -> str:
    """``name`` as far as it is fit for a part of an image's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
