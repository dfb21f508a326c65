"""What the start is spared is there for whoever asks for it afterwards."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from interpreters import python

if TYPE_CHECKING:
    from pathlib import Path

START = "from hookci.spared import *; import_paths(); import_values(); import_processes(); import_command_line()"


def test_it_is_not_imported_and_nothing_stands_in_for_it_any_more() -> None:
    said = python(
        f"""
        {START}
        import click, msgspec, pathlib
        spared = {{"decimal", "uuid", "typing_extensions", "inspect", "msgspec.inspect", "msgspec._json_schema"}}
        spared |= {{"gettext", "locale"}}
        print(sorted(spared & {{*sys.modules}}))
        """
    )

    assert said == "[]\n"


def test_pathlib_msgspec_and_click_do_all_they_can() -> None:
    said = python(
        f"""
        {START}
        import click, msgspec, pathlib
        import msgspec.inspect, msgspec.toml

        print(pathlib.PurePosixPath("/a b").as_uri(), msgspec.inspect.type_info(bool))
        print(msgspec.json.schema(int), msgspec.inspect.__file__ is not None)

        @click.command()
        @click.option("--one", help="  one line")
        @click.option("--two", help='''
            two
            lines''')
        def command(one, two):
            '''What it does.

            And more.
            '''

        print([option.help for option in command.params])
        print(command.get_help(click.Context(command)).splitlines()[2])
        """
    )

    assert said == (
        "file:///a%20b BoolType()\n{'type': 'integer'} True\n['one line', 'two\\nlines']\n  What it does.\n"
    )


def test_what_click_says_wrong_is_english_and_what_a_program_writes_can_be_text() -> None:
    said = python(
        f"""
        {START}
        import click, subprocess

        @click.command()
        @click.argument("names", nargs=2)
        def command(names):
            pass

        try:
            command.main(["one"], standalone_mode=False)
        except click.UsageError as error:
            print(error.format_message())
        print(subprocess.run(["cat"], input="one\\r\\ntwo", capture_output=True, text=True).stdout.splitlines())
        """
    )

    assert said == "Argument 'names' takes 2 values.\n['one', 'two']\n"


def test_the_real_ones_come_afterwards() -> None:
    said = python(
        f"""
        {START}
        import decimal, gettext, inspect, locale, urllib.parse, uuid

        print(uuid.UUID(int=1).version, decimal.Decimal("1.5") * 2, urllib.parse.quote("a b"), inspect.cleandoc(" a"))
        print(gettext.GNUTranslations.__name__, locale.getlocale.__name__)
        """
    )

    assert said == "None 3.0 a%20b a\nGNUTranslations getlocale\n"


def test_a_version_that_asks_for_something_else_gets_it(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text(
        "from uuid import SafeUUID, uuid4\nfrom decimal import Context\nfound = uuid4\n"
    )

    said = python(
        "from hookci.spared import *; import_values(); import msgspec; print(msgspec.found.__name__)", tmp_path
    )

    assert said == "uuid4\n"


def test_what_is_there_already_stays() -> None:
    said = python(
        f"import uuid, decimal; {START}; print(sys.modules['uuid'] is uuid, sys.modules['decimal'] is decimal)"
    )

    assert said == "True True\n"


def test_only_who_imports_finds_none_of_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "dear.py").write_text("")
    (tmp_path / "asking.py").write_text(
        textwrap.dedent(
            """
            import threading

            found = []

            def look():
                try:
                    import dear
                except ImportError:
                    found.append(False)
                else:
                    found.append(True)

            look()
            other = threading.Thread(target=look)
            other.start()
            other.join()
            """
        )
    )

    said = python(
        """
        from hookci.spared import import_beside
        import_beside("asking", {}, hidden=("dear",))
        import asking, dear
        print(asking.found, [finder for finder in sys.meta_path if "Hiding" in type(finder).__name__])
        """,
        tmp_path,
    )

    assert said == "[False, True] []\n"
