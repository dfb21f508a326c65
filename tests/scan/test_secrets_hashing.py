"""The forms in which a secret may be shown."""

from __future__ import annotations

import pytest

from hookci.scan.secrets.hashing import SecretNames, matches, shown_hash

SECRET = b"a " + b"secret"
SALT = bytes(range(8))


def test_a_shown_hash_holds_its_salt_and_so_matches_in_every_clone() -> None:
    shown = shown_hash(SECRET, SALT)

    assert shown.startswith(f"{SALT.hex()}:")
    assert matches(SECRET, shown)
    assert matches(SECRET, shown.upper())
    assert not matches(SECRET + b"x", shown)
    assert shown_hash(SECRET, b"other") != shown


@pytest.mark.parametrize("shown", ["", ":", "zz:00", "0011", f"{SALT.hex()}:", "ü:ü"])
def test_what_is_no_hash_matches_nothing(shown: str) -> None:
    assert not matches(SECRET, shown)


def test_a_clone_names_a_secret_the_same_every_time_and_another_clone_otherwise() -> None:
    one, same, other = SecretNames(b"one", ()), SecretNames(b"one", ()), SecretNames(b"other", ())

    assert one.shown(SECRET) == same.shown(SECRET) != other.shown(SECRET)
    assert one.code(SECRET) == same.code(SECRET) != other.code(SECRET)
    assert matches(SECRET, one.shown(SECRET))


def test_a_suppressed_secret_is_named_as_the_config_has_it() -> None:
    written = shown_hash(SECRET, b"the salt of a colleague").upper()
    names = SecretNames(b"mine", ("nonsense", shown_hash(b"other", b"the salt of a colleague"), written))

    assert names.shown(SECRET) == written
    assert names.shown(b"third") != written


def test_neither_form_tells_the_secret_or_the_key() -> None:
    names = SecretNames(b"key", ())

    told = names.shown(SECRET) + names.code(SECRET)

    assert SECRET.hex() not in told
    assert b"key".hex() not in told
