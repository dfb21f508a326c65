"""Text from programs nobody here wrote, made safe to print: colour may stay, everything else a terminal obeys goes.

Source: ECMA-48 5.3 to 5.6 (C0, C1, escape and control sequences, control strings), 8.3.117 (SGR); Unicode UAX 9 (bidi).
"""

from __future__ import annotations

import re

from hookci.model.patterns import pattern

__all__ = ["clean", "plain"]

_COLOUR = pattern(r"\x1b\[[0-9;:]*m")

# The first alternative that matches wins, so that colour is recognised before the sequences it is one of.  A sequence
# that another control character cuts short ends there; a control string ends with its line at the latest.
_CONTROL = pattern(
    r"""
      (?P<colour> \x1b\[ [0-9;:]* m )
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]?                          # CSI: cursor, erasing, modes
    | (?: \x1b [\]PX^_] | [\x9d\x90\x98\x9e\x9f] )                      # OSC, DCS, SOS, PM, APC ...
      [^\x07\x18\x1a\x1b\x9c\n]* (?: \x07 | \x1b\\ | \x9c )?            # ... and their payload
    | \x1b [ -/]* [0-~]?                                                # any other escape sequence
    | [\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]                             # C0 but tab and line ends, DEL, C1
    | [\u202a-\u202e\u2066-\u2069]                                      # bidi embedding, override, isolate
    """,
    re.VERBOSE,
)


def clean(text: str) -> str:
    r"""Remove every terminal control from ``text`` but colour, tabs and line feeds.

    Of a line that overwrites itself with carriage returns (``10%\r50%\r100%``) only the last thing
    written stays.  Doing it twice changes nothing; every ESC that is left begins a complete SGR sequence.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = _CONTROL.sub(lambda match: match["colour"] or "", text)
    return kept if "\r" not in kept else "\n".join(map(_last_written, kept.split("\n")))


def plain(text: str) -> str:
    """Remove what `clean` removes, and colour."""
    if text.isascii() and text.isprintable():
        return text
    return _COLOUR.sub("", clean(text))


def _last_written(line: str) -> str:
    """What of a line with carriage returns is on the screen in the end."""
    written = line.split("\r")
    return next((part for part in reversed(written) if _COLOUR.sub("", part)), "")
