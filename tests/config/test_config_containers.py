"""Images, services and builds: every form of them, and every mistake at its place."""

from __future__ import annotations

import pytest
from config_samples import in_job, problems, read
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.containers import _size
from hookci.model.container import Build, Image, Pull, Readiness, Service
from hookci.model.pipeline import Need

BUILDER = '[jobs.image]\nstage = "build"\nbuild = "."\n'


def image_of(written: str) -> Image | None:
    return read(in_job(f"image = {written}")).jobs["a"].image


def service_of(written: str) -> Service:
    (service,) = read(in_job(f'image = "x"\nservices = [{written}]')).jobs["a"].services
    return service


# -- images


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"python:3.12"', Image(name="python:3.12")),
        ('"host:5000/a/b@sha256:abc"', Image(name="host:5000/a/b@sha256:abc")),
        ('"$REGISTRY/app:${CI_COMMIT_SHA}"', Image(name="$REGISTRY/app:${CI_COMMIT_SHA}")),
        ('{ name = "x" }', Image(name="x")),
        ('{ name = "x", entrypoint = "" }', Image(name="x", entrypoint=())),
        ('{ name = "x", entrypoint = [""] }', Image(name="x", entrypoint=("",))),
        ('{ name = "x", entrypoint = "sh -c \'a b\'" }', Image(name="x", entrypoint=("sh", "-c", "a b"))),
        ('{ name = "x", entrypoint = ["sh -c", "a b"] }', Image(name="x", entrypoint=("sh -c", "a b"))),
        ('{ name = "x", pull = "always" }', Image(name="x", pull=(Pull.ALWAYS,))),
        ('{ name = "x", pull = ["always", "never"] }', Image(name="x", pull=(Pull.ALWAYS, Pull.NEVER))),
        ('{ name = "x", user = "1000:1000" }', Image(name="x", user="1000:1000")),
        ('{ name = "x", platform = "linux/arm64" }', Image(name="x", platform="linux/arm64")),
        ('{ name = "x", workdir = "/srv" }', Image(name="x", workdir="/srv")),
        ('{ name = "x", memory = "512m" }', Image(name="x", memory=512 * 2**20)),
        ('{ name = "x", memory = "2GiB" }', Image(name="x", memory=2 * 2**30)),
        ('{ name = "x", memory = "8000000" }', Image(name="x", memory=8_000_000)),
        ('{ name = "x", cpus = 2 }', Image(name="x", cpus=2.0)),
        ('{ name = "x", cpus = 0.5 }', Image(name="x", cpus=0.5)),
        ('{ name = "x", network = "none" }', Image(name="x", network="none")),
        ('"local"', None),
    ],
)
def test_every_form_of_an_image_arrives(written: str, meant: Image | None) -> None:
    assert image_of(written) == meant


@given(number=st.integers(6, 10**9), unit=st.sampled_from(["m", "M", "mb", "MiB", " g", "Gb"]))
def test_a_size_is_in_powers_of_1024(number: int, unit: str) -> None:
    power = {"m": 2**20, "g": 2**30}[unit.strip()[0].lower()]

    found: list[object] = []
    size = _size(f"{number}{unit}", (), found)  # type: ignore[arg-type]  # the list is only looked at

    assert (size, found) == (number * power, [])


def test_a_job_may_be_local_although_the_defaults_have_an_image_and_services() -> None:
    pipeline = read("""
        defaults = { image = "python:3.12", services = ["postgres"] }
        jobs.a.script = "x"
        jobs.b = { script = "x", image = "local" }
        jobs.c = { script = "x", image = "debian" }
    """)

    assert {name: job.image and job.image.name for name, job in pipeline.jobs.items()} == {
        "a": "python:3.12",
        "b": None,
        "c": "debian",
    }
    assert {name: len(job.services) for name, job in pipeline.jobs.items()} == {"a": 1, "b": 0, "c": 1}


def test_local_in_the_defaults_says_what_is_so_anyway() -> None:
    assert read('defaults.image = "local"\njobs.a.script = "x"').jobs["a"].image is None


# -- services


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"postgres:16"', Service(image=Image(name="postgres:16"))),
        ('{ image = "postgres:16" }', Service(image=Image(name="postgres:16"))),
        ('{ image = { name = "x", user = "0" } }', Service(image=Image(name="x", user="0"))),
        ('{ image = "x", alias = "db" }', Service(image=Image(name="x"), aliases=("db",))),
        ('{ image = "x", alias = ["db", "db.test"] }', Service(image=Image(name="x"), aliases=("db", "db.test"))),
        (
            '{ image = "x", command = "redis-server --save \'\'" }',
            Service(image=Image(name="x"), command=("redis-server", "--save", "")),
        ),
        ('{ image = "x", command = ["a b"] }', Service(image=Image(name="x"), command=("a b",))),
        ('{ image = "x", entrypoint = "a b" }', Service(image=Image(name="x", entrypoint=("a", "b")))),
        ('{ image = "x", variables = { A = 1 } }', Service(image=Image(name="x"), variables={"A": "1"})),
        (
            '{ image = "x", health = "pg_isready | cat" }',
            Service(image=Image(name="x"), health=Readiness(command=("sh", "-c", "pg_isready | cat"))),
        ),
        (
            '{ image = "x", health = { command = ["pg_isready", "-q"], within = "5s" } }',
            Service(image=Image(name="x"), health=Readiness(command=("pg_isready", "-q"), within=5.0)),
        ),
        (
            '{ image = "x", health = { within = "2m" } }',
            Service(image=Image(name="x"), health=Readiness(within=120.0)),
        ),
        ('{ image = "x", privileged = true }', Service(image=Image(name="x"), privileged=True)),
    ],
)
def test_every_form_of_a_service_arrives(written: str, meant: Service) -> None:
    assert service_of(written) == meant


def test_a_service_that_is_asked_for_nothing_has_the_time_that_the_reference_says() -> None:
    assert service_of('{ image = "x", health = {} }').health == Readiness()


# -- building


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"docker"', Build(context="docker")),
        ("{}", Build()),
        (
            '{ context = "a", dockerfile = "b/c", target = "t", args = { A = 1 }, tags = "x:$B", pull = true }',
            Build(context="a", dockerfile="b/c", target="t", args={"A": "1"}, tags=("x:$B",), pull=True),
        ),
    ],
)
def test_every_form_of_a_build_arrives(written: str, meant: Build) -> None:
    job = read(f"jobs.a.build = {written}").jobs["a"]

    assert (job.build, job.image, job.script) == (meant, None, ())


def test_the_script_of_a_job_that_builds_runs_in_what_it_builds_unless_it_names_another() -> None:
    pipeline = read("""
        defaults = { image = "python:3.12", services = ["postgres"] }
        jobs.a = { build = "." }
        jobs.b = { build = ".", script = "x" }
        jobs.c = { build = ".", script = "x", image = "docker" }
    """)

    assert [job.image and job.image.name for job in pipeline.jobs.values()] == [None, None, "docker"]
    assert [len(job.services) for job in pipeline.jobs.values()] == [0, 1, 1]
    assert all(job.contained for job in pipeline.jobs.values())


def test_a_job_that_names_what_it_needs_also_needs_who_builds_its_images() -> None:
    pipeline = read(
        BUILDER
        + """
        [jobs.base]
        build = "base"
        needs = []
        [jobs.by-stage]
        script = "x"
        image = "job:image"
        [jobs.alone]
        script = "x"
        needs = []
        image = { name = "job:image" }
        services = ["job:base", { image = "job:image", alias = "b" }]
        [jobs.told]
        script = "x"
        needs = [{ job = "image", artifacts = true }]
        image = "job:image"
        """.replace("\n        ", "\n")
    )

    implied = [Need(name, artifacts=False, optional=True) for name in ("image", "base")]
    assert pipeline.jobs["by-stage"].needs is None
    assert pipeline.jobs["alone"].needs == tuple(implied)
    assert pipeline.jobs["told"].needs == (Need("image"),)


def test_one_cell_of_a_matrix_builds_what_is_named_by_it() -> None:
    pipeline = read("""
        [jobs.image]
        stage = "build"
        build = "."
        matrix = [{ V = [1, 2] }]
        [jobs.a]
        script = "x"
        needs = []
        image = "job:image: [2]"
    """)

    assert pipeline.jobs["a"].needs == (Need("image: [2]", artifacts=False, optional=True),)


# -- mistakes


SIZE = 'expected a size of at least "6m", such as "512m" or "2g"'
POLICIES = 'expected "always", "if-not-present" or "never"'
WAITING = '(needs = ["%s"] makes "a" wait for it)'
UNREACHABLE = 'a service is reached from a container only (image = "..." runs the job in one)'


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("image = ''", "image: is empty"),
        ("image = 'a b'", 'image: expected the name of an image, saw "a b"'),
        ("image = 3", "image: expected text or a table, saw 3"),
        ("image = {}", "image.name: missing"),
        ("image = { nam = 'x' }", "image.nam: unknown key (did you mean `name`?)"),
        (
            "image = { name = 'local', user = 'x' }",
            "image.name: `local` is this machine, where nothing else can be said",
        ),
        ("services = ['x']", f'services: the job "a" has no `image`, and {UNREACHABLE}'),
        ("image = 'x'\nservices = 'y'", 'services: expected a list, saw "y"'),
    ],
)
def test_a_mistake_is_told_at_its_place(line: str, problem: str) -> None:
    assert problems(in_job(line)) == [f"jobs.a.{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            'entrypoint = "\'"',
            'entrypoint: expected text that ends its quotes, or a list of texts, saw "\'"',
        ),
        ("pull = 'alway'", f'pull: {POLICIES}, saw "alway" (did you mean `always`?)'),
        ("pull = []", "pull: expected at least one, saw an empty list"),
        ("user = ' '", "user: is empty"),
        ("platform = ''", "platform: is empty"),
        ("workdir = 'srv'", 'workdir: expected an absolute path in the container, saw "srv"'),
        ("memory = '5m'", f'memory: {SIZE}, saw "5m"'),
        ("memory = '1.5g'", f'memory: {SIZE}, saw "1.5g"'),
        ("memory = '999999999t'", f'memory: {SIZE}, saw "999999999t"'),
        ("cpus = 0", "cpus: expected a number of processors above zero, saw 0.0"),
        ("cpus = inf", "cpus: expected a number of processors above zero, saw inf"),
        ("network = 'host'", 'network: expected "none", saw "host"'),
    ],
)
def test_a_mistake_about_an_image_is_told_at_its_place(line: str, problem: str) -> None:
    assert problems(in_job(f"image = {{ name = 'x', {line} }}")) == [f"jobs.a.image.{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alias = 'y'", ".image: missing"),
        ("image = { name = 'y', network = 'none' }", ".image.network: unknown key"),
        ("image = 'y', alias = 'a b'", '.alias: expected a host name, saw "a b"'),
        ("image = 'y', alias = ['d', 'd']", '.alias: more than one service is called "d"'),
        (
            "image = 'y', entrypoint = \"'\"",
            '.entrypoint: expected text that ends its quotes, or a list of texts, saw "\'"',
        ),
        (
            "image = { name = 'y', entrypoint = 'a' }, entrypoint = 'b'",
            ".entrypoint: is said twice: `image` has one too",
        ),
        ("image = 'y', health = ''", ".health: is empty"),
        ("image = 'y', health = { command = [] }", ".health.command: is empty"),
        (
            "image = 'y', health = { within = '0s' }",
            '.health.within: expected a duration longer than zero, saw "0s"',
        ),
    ],
)
def test_a_mistake_about_a_service_is_told_at_its_place(line: str, problem: str) -> None:
    assert problems(in_job(f"image = 'x'\nservices = [{{ {line} }}]")) == [f"jobs.a.services[0]{problem}"]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{ context = '../x' }", '.context: expected a directory below the repository\'s root, saw "../x"'),
        ("'/x'", ': expected a directory below the repository\'s root, saw "/x"'),
        ("{ dockerfile = 'a/../b' }", '.dockerfile: expected a path below the context, saw "a/../b"'),
        ("{ target = '' }", ".target: is empty"),
        ("{ tags = ['a b'] }", '.tags[0]: expected the name of an image, saw "a b"'),
        ("{ args = { a-b = 1 } }", '.args.a-b: expected a variable\'s name of letters, digits and _, saw "a-b"'),
    ],
)
def test_a_mistake_about_a_build_is_told_at_its_place(written: str, problem: str) -> None:
    assert problems(in_job(f"build = {written}")) == [f"jobs.a.build{problem}"]


def test_a_script_in_a_built_image_cannot_be_local() -> None:
    (problem,) = problems(in_job("build = '.'\nimage = 'local'"))

    assert problem.startswith("jobs.a.image: a job with `build` runs in a container (put the script into a job of its")


@pytest.mark.parametrize("line", ["image = 'x'", "services = ['x']", "image = 'local'"])
def test_what_runs_beside_a_script_needs_one(line: str) -> None:
    key = line.partition(" ")[0]

    assert problems(f"[jobs.a]\nbuild = '.'\n{line}") == [f"jobs.a.{key}: there is no script that would run with it"]


def test_services_for_all_jobs_are_told_once_where_they_stand_for_each_that_cannot_have_them() -> None:
    text = "defaults.services = ['x']\njobs.a = { script = 'x' }\njobs.b = { script = 'x', image = 'y' }"

    assert problems(text) == [f'defaults.services: the job "a" has no `image`, and {UNREACHABLE}']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("image = 'job:imgae'", 'image: there is no job "imgae" (did you mean `image`?)'),
        ("image = 'job:'", 'image: there is no job ""'),
        ("image = 'x'\nservices = ['job:nope']", 'services[0]: there is no job "nope"'),
        ("image = 'job:plain'", 'image: the job "plain" builds no image (one with `build` does)'),
        (
            "image = { name = 'job:peer' }",
            f'image.name: the job "peer", which builds it, is in the same stage {WAITING % ("peer",)}',
        ),
        (
            "image = 'job:late'",
            f'image: the job "late", which builds it, is in the later stage "deploy" {WAITING % ("late",)}',
        ),
        (
            "image = 'job:many'",
            'image: the job "many" is 2 jobs with an image each (write "job:many: [1]" for one of them)',
        ),
    ],
)
def test_an_image_of_a_job_comes_from_one_that_builds_it_before(text: str, problem: str) -> None:
    others = """
        [jobs.plain]
        stage = "build"
        script = "x"
        [jobs.peer]
        build = "."
        [jobs.late]
        stage = "deploy"
        build = "."
        [jobs.many]
        stage = "build"
        build = "."
        matrix = [{ N = [1, 2] }]
    """.replace("\n        ", "\n")

    assert problems(BUILDER + others + in_job(text)) == [f"jobs.a.{problem}"]


def test_an_image_of_a_job_in_the_defaults_is_told_there() -> None:
    assert problems("defaults.image = 'job:a'\njobs.a = { script = 'x' }") == [
        'defaults.image: the job "a" builds no image (one with `build` does)'
    ]


def test_jobs_that_use_each_others_images_wait_in_a_circle() -> None:
    text = """
        jobs.a = { build = ".", script = "x", image = "job:b", needs = [] }
        jobs.b = { build = ".", script = "x", image = "job:a", needs = [] }
    """

    assert problems(text) == ["jobs.a.needs: cycle: a -> b -> a"]


def test_an_image_may_be_deployed_like_an_artifact() -> None:
    pipeline = read(BUILDER + '[environments.x]\nscript = "y"\nneeds = ["image"]')

    assert pipeline.environments["x"].needs == ("image",)
