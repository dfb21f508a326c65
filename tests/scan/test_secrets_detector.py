"""What is a secret, and what only looks like one."""

from __future__ import annotations

import base64
import itertools
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secret_samples import (
    BASE_64,
    HEX,
    INNOCENT_FILES,
    REAL_FILES,
    TOKENS,
    aws_secret,
    chance,
    github,
    key_body,
    private_key,
    wrapped,
)

from hookci.scan.secrets.detector import find_secrets, readable

if TYPE_CHECKING:
    import random

CHOSEN = "Tr0ub" + "4dor&" + "3"
"""What a person may take for a password."""


def rules(text: str, path: str = "app/settings.py") -> list[str]:
    return [hit.rule for hit in find_secrets(text.encode(), path, lambda: None)]


def secrets(text: str, path: str = "app/settings.py") -> list[str]:
    return [hit.secret.decode() for hit in find_secrets(text.encode(), path, lambda: None)]


def test_of_sixteen_planted_files_the_twelve_with_secrets_are_found_and_no_other() -> None:
    found = {path for path, text in {**REAL_FILES, **INNOCENT_FILES}.items() if rules(text, path)}

    assert found == set(REAL_FILES)


@pytest.mark.parametrize("rule", TOKENS)
@pytest.mark.parametrize("line", ["{}", 'x = "{}"', "say {}, then", "https://h.net/?t={}&u=1", r"a\n{}\n"])
def test_a_token_of_a_known_form_is_found_wherever_it_stands(rule: str, line: str) -> None:
    hits = find_secrets(line.format(TOKENS[rule]).encode(), "any.txt", lambda: None)

    assert [hit.rule for hit in hits] == [rule]
    assert hits[0].secret.decode() == TOKENS[rule]


def test_the_key_of_a_connection_string_is_found_and_the_emulators_is_none() -> None:
    line = "DefaultEndpointsProtocol=https;AccountName=ana;AccountKey={}==;EndpointSuffix=core.windows.net"
    key, emulator = chance(86, 1, BASE_64), "Eby8vdM" + "02xNOcqF" + chance(71, 2)

    assert rules(line.format(key)) == ["azure-storage-key"]
    assert rules(line.format(emulator)) == []


@pytest.mark.parametrize("rule", ["github-token", "gitlab-token", "npm-token", "aws-access-key-id", "telegram-token"])
def test_a_token_within_a_longer_word_is_none(rule: str) -> None:
    assert rules(f"x{TOKENS[rule]}") == []
    assert rules(f"{TOKENS[rule]}{'x' * 300}") == []


@pytest.mark.parametrize(
    "token",
    [
        "AKIA" + "IOSFODNN7" + "EXAMPLE",
        "ghp_" + "x" * 36,
        "ghp_" + "1234567890" * 3 + "123456",
        "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
        "glpat-" + "x" * 20,
        "xoxb-" + "your-token-goes-here",
        "sk_" + "live_" + "." * 3,
    ],
)
def test_the_examples_of_documentation_are_no_tokens(token: str) -> None:
    assert rules(f'token = "{token}"') == []


@pytest.mark.parametrize(
    "line",
    [
        'DB_PASSWORD = "{chosen}"',
        "db_password: {chosen}",
        'password="{20}"',
        "apiKey: '{32}',",
        'client_secret = "{hex}"',
        "export API_TOKEN={32}",
        '"auth_token": "{32}"',
        'config["SECRET_KEY"] = "{32}"',
        'os.environ.get("SESSION_SECRET", "{32}")',
        '<add key="ApiKey" value="{32}"/>',
        "<password>{20}</password>",
        "- name: DB_PASSWORD\n  value: {20}",
        'api_key: str = "{32}"',
        'password = SecretStr("{20}")',
        '{{\\"password\\": \\"{20}\\"}}',
        "Authorization: Bearer {32}",
        'headers = {{"Authorization": "Basic {basic}"}}',
        'secret := "{32}"',
        "HEROKU_API_KEY={uuid}",
        "aws_secret_access_key = {aws}",
        "data:\n  password: {chosen64}",
    ],
)
def test_a_telling_name_with_a_value_that_looks_real_is_a_secret(line: str) -> None:
    values = {
        "20": chance(20, 1),
        "32": chance(32, 2),
        "hex": chance(40, 3, HEX),
        "basic": wrapped(f"ana:{chance(20, 4)}"),
        "uuid": str(uuid.UUID(chance(32, 5, HEX), version=4)),
        "aws": aws_secret(),
        "chosen": CHOSEN,
        "chosen64": wrapped(CHOSEN),
    }
    text = line
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)

    assert len(rules(text.replace("{{", "{").replace("}}", "}"), "config/app.yaml")) == 1


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme"',
        'password = "hunter2"',
        'password = "example-Passw0rd-1"',
        'password = "********"',
        'password = "${DB_PASSWORD}"',
        'password = "{{ db_password }}"',
        'password = "%(password)s"',
        'password = "<password>"',
        'password = os.environ["DB_PASSWORD"]',
        'password = getpass.getpass("Password: ")',
        "password: !vault |",
        "password: ${{ secrets.DB_PASSWORD }}",
        'token = "aaaaaaaaaaaaaaaaaaaaaaaaaa"',
        'token = "0123456789abcdef0123456789abcdef"',
        'secret = "this is a sentence with 10 words or so"',
        'secret_name = "{32}"',
        'token_url = "{32}"',
        'password_hash = "{32}"',
        'password = "pbkdf2_sha256$720000${32}$x"',
        'public_key = "{32}"',
        'csrf_token = "{32}"',
        'next_page_token = "{32}"',
        'tokenizer = "{32}"',
        'monkey = "{32}"',
        'session_id = "{uuid}"',
        'commit = "{hex}"',
        'token = "{uuid}" if test else None  # trial',
        '"integrity": "sha512-{32}{32}=="',
        'secret = "sha256:{hex}"',
        'key = "django.contrib.auth.hashers.PBKDF2PasswordHasher"',
        'auth_token = "settings.AUTH_TOKEN_V2_VALUE"',
        'access_token = "/run/secrets/access_token_2"',
        'api_key = "https://vault.corp.net/v1/kv/42"',
        'pattern = r"token=[-a-zA-Z0-9]{20}"',
        'token = r"[-!#$%&*+.^_`|~0-9a-zA-Z]+"',
        '("auth", "0011_update_proxy_permissions")',
        'api_key = "SERVICE_API_KEY_V2"',
        'headers = {"Authorization": "Basic {placeholder}"}',
        "token = get_token(request.user.id2)",
    ],
)
def test_what_stands_for_a_secret_or_for_none_is_let_be(line: str) -> None:
    name = str(uuid.UUID(chance(32, 5, HEX), version=4))
    text = line.replace("{32}", chance(32, 2)).replace("{hex}", chance(40, 3, HEX)).replace("{uuid}", name)

    assert rules(text.replace("{placeholder}", wrapped("user:password")), "tests/app.py") == []


def test_a_key_that_django_itself_calls_insecure_is_what_it_says() -> None:
    assert rules(f"SECRET_KEY = 'django-insecure-{chance(50, 2)}'", "site/settings.py") == []
    assert rules(f"SECRET_KEY = 'django-{chance(50, 2)}'", "site/settings.py") == ["generic-secret"]


def test_a_password_that_a_person_chose_counts_outside_of_tests_and_documentation() -> None:
    line = f'password = "{CHOSEN}"'

    assert rules(line, "app/db.py") == ["password"]
    assert rules(line, "tests/test_db.py") == []
    assert rules(line, "README.md") == []


def test_an_expression_in_code_is_no_value_but_in_a_settings_file_it_is() -> None:
    line = f"api_token = {chance(32, 1)}"

    assert rules(line, "app.py") == []
    assert rules(line, "app.ini") == ["generic-secret"]


def test_hashes_in_lock_files_are_none_but_a_token_there_is_one() -> None:
    line = f'"token": "{chance(40, 1, HEX)}"\n'

    assert rules(line, "sub/package-lock.json") == []
    assert rules(line + github(), "sub/package-lock.json") == ["github-token"]


@pytest.mark.parametrize(
    ("url", "is_secret"),
    [
        ("postgres://app:{}@db.corp.net/app", True),
        ("postgres://app:{}@localhost/app", True),
        ("redis://:{}@cache:6379/0", True),
        ("https://ana:" + "wombat41a" + "@git.corp.net/x.git", True),
        ("mongodb+srv://app:{}@cluster0.ab1cd.mongodb.net", True),
        ("postgres://user:password@localhost", False),
        ("postgres://postgres:postgres@db:5432/x", False),
        ("amqp://guest:guest@rabbit.corp.net//", False),
        ("postgres://app:${PASSWORD}@db.corp.net/x", False),
        ("postgres://app:$PASSWORD@db.corp.net/x", False),
        ("postgres://app:<password>@db.corp.net/x", False),
        ("postgres://{{ user }}:{{ password }}@db.corp.net/x", False),
        ("https://user:secret123@example.com/", False),
        ("https://host.corp.net:8080/@ana", False),
        ("https://a.corp.net:123,b.corp.net:456/x@y", False),
        ("sb://SAS_NAME:SAS_KEY@HOST", False),
    ],
)
def test_a_password_in_an_address_is_one_unless_everyone_has_it(url: str, is_secret: bool) -> None:
    text = f'url = "{url.replace("{}", chance(16, 3))}"'

    assert rules(text) == (["url-password"] if is_secret else [])


@pytest.mark.parametrize(
    "kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n", '",\n    "', "\n      "])
def test_a_private_key_is_found_however_it_is_wrapped_and_is_the_same_secret(kind: str, end: str) -> None:
    text = "key = '" + private_key(end=end, kind=kind) + "'"

    assert rules(text) == ["private-key"]
    assert secrets(text) == [key_body()]


@pytest.mark.parametrize("kind", ["PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY", "CERTIFICATE REQUEST"])
def test_public_keys_and_certificates_are_none(kind: str) -> None:
    assert rules(private_key(kind=kind)) == []


def test_an_armour_without_a_body_is_no_key() -> None:
    begin, end = "-----BEGIN RSA PRIVATE" + " KEY-----", "-----END RSA PRIVATE" + " KEY-----"

    assert rules(f'if "{begin}" in text and "{end}" in text:') == []
    assert rules(f"{begin}\n...\n{end}\n") == []
    assert rules(f"{begin}\n{'A' * 640}\n{end}\n") == []


def test_a_key_that_is_cut_off_or_has_lost_its_armour_is_found() -> None:
    cut = "\n".join(private_key().split("\n")[:6])
    bare = "MIIEow" + "IBAAKC" + "AQEA" + key_body(7, 300)

    assert rules(cut) == ["private-key"]
    assert rules(f"key: {bare}") == ["private-key"]


@pytest.mark.parametrize("width", [0, 64, 76])
def test_base_64_is_decoded_once_and_looked_at_again(width: int) -> None:
    encoded = wrapped(f'{{"user": "ana", "id": "{"x" * 60}", "token": "{github()}"}}')
    lines = [encoded[at : at + width] for at in range(0, len(encoded), width)] if width else [encoded]
    hits = find_secrets("\n  ".join(["data:", *lines]).encode(), "secret.yaml", lambda: None)

    assert [hit.rule for hit in hits] == ["github-token"]
    assert hits[0].name == "a GitHub token in base 64"


def test_an_encoded_private_key_is_found_and_what_is_encoded_twice_is_not() -> None:
    once = wrapped(private_key())

    assert rules(f"tls.key: {once}", "secret.yaml") == ["private-key"]
    assert rules(f"tls.key: {wrapped(once)}", "secret.yaml") == []


def test_a_comment_does_not_silence_a_secret() -> None:
    assert rules(f"{github()}  # pragma: allowlist secret, nosec, gitleaks:allow, noqa") == ["github-token"]


def test_utf_16_is_read_and_one_nul_hides_no_other_line() -> None:
    text = f"one\r\ntoken {github()}\r\nthree"
    utf_16 = readable(text.encode("utf-16"))
    binary = readable(b"\0\1\2\n" + github().encode() + b"\n" + b"\0" + github(2).encode() + b"\n")

    assert [hit.secret for hit in find_secrets(utf_16, "a.txt", lambda: None)] == [github().encode()]
    assert utf_16.count(b"\n") == 2
    assert [hit.secret for hit in find_secrets(binary, "a.bin", lambda: None)] == [github().encode()]


@pytest.mark.parametrize("place", [0, 959_970, 980_000, 999_980, 1_000_000, 1_940_010, 2_499_000])
def test_in_a_line_of_megabytes_a_secret_is_found_once_wherever_it_is(place: int) -> None:
    filler = "some words, " * 208_334
    text = (filler[:place] + f' "{github()}" ' + filler[place:]).encode()
    checked: list[int] = []

    hits = find_secrets(text, "a.js", lambda: checked.append(1))

    assert [text[hit.start : hit.end] for hit in hits] == [github().encode()]
    assert len(checked) == 3


@given(st.binary(max_size=400), st.lists(st.sampled_from(sorted(TOKENS.values())), max_size=3), st.randoms())
def test_any_bytes_can_be_looked_at_and_hits_never_overlap(
    noise: bytes, tokens: list[str], chooser: random.Random
) -> None:
    parts = [noise, *(f" {token} ".encode() for token in tokens), b'password="', base64.b64encode(noise)]
    chooser.shuffle(parts)
    text = readable(b"".join(parts))

    hits = find_secrets(text, "x.txt", lambda: None)

    assert all(one.end <= other.start for one, other in itertools.pairwise(hits))
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
