"""``hookci plan --why``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hookci.cli.surroundings import read_machine, write_out
from hookci.model.event import Notice
from hookci.reasons import explain_job
from hookci.report.terminal import wants_color
from hookci.report.why import render_why, why_document

if TYPE_CHECKING:
    from hookci.cli.screen import ColorSetting
    from hookci.flow import Request
    from hookci.model.event import Event, Observer
    from hookci.report.entries import NoticeEntry

__all__ = ["say_why"]


def say_why(request: Request, job: str, tell: Observer, *, as_json: bool, color: ColorSetting) -> None:
    """Write why the plan of ``request`` does with ``job`` what it does."""
    from hookci.report.machine import as_json as written  # noqa: PLC0415 (only programs need it)
    from hookci.report.machine import notice_entry  # noqa: PLC0415 (as above)

    notices: list[NoticeEntry] = []

    def told(event: Event) -> None:
        tell(event)
        if isinstance(event, Notice):
            notices.append(notice_entry(event.text, event.level))

    answers = explain_job(read_machine(), request, job, told)
    if as_json:
        write_out(sys.stdout, written(why_document(answers, tuple(notices))))
        return
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    write_out(sys.stdout, render_why(answers, color=colored))
