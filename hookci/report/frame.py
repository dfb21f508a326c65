"""How a board looks in so many columns and lines.

What is left out is chosen by the number of jobs and stages, which does not change during a run, so that the view keeps
its form unless the terminal is resized.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from hookci.report.terminal import encodable, supports_unicode
from hookci.report.words import STYLES, counted, duration, mark, rough

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hookci.report.board import Board, Row

__all__ = ["Frame"]

_SPINNER = {True: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", False: "|/-\\"}
_TURNS_PER_SECOND = 8
_BAR = {True: ("━", "─"), False: ("#", "-")}
_BAR_CELLS = 16
_FEWEST_ROWS = 2
_TIME_CELLS = 7
_ROW_CELLS = 12  # mark, time and the gaps between


class Frame(Struct, frozen=True, kw_only=True):
    """The room there is: ``width`` in cells, ``height`` in lines, ``encoding`` of the terminal, ``now`` in seconds."""

    width: int
    height: int
    encoding: str
    now: float

    @property
    def unicode(self) -> bool:
        """Whether marks need not be ASCII."""
        return supports_unicode(self.encoding)

    def running(self, board: Board) -> list[Text]:
        """The lines while the run goes on: no more than ``height``, none wider than ``width``."""
        room = self.height - 1
        if room >= len(board.stages) + len(board.rows):
            lines = self._everything(board)
        elif room >= len(board.stages) + _FEWEST_ROWS:
            lines = self._stages(board, room - len(board.stages))
        else:
            lines = self._totals(board, room - 1)
        return self._fit([self._head(board), *lines][: max(self.height, 1)])

    def final(self, board: Board) -> list[Text]:
        """The lines that stay: one for each stage, and one for each broken job of a stage too large for one line."""
        return self._fit([self._head(board), *self._ended(board)])

    def _fit(self, lines: Iterable[Text]) -> list[Text]:
        fitting = []
        for line in lines:
            line.expand_tabs(8)
            line.truncate(max(self.width, 1), overflow="crop")
            fitting.append(line)
        return fitting

    def _head(self, board: Board) -> Text:
        rows = board.rows
        over = sum(row.outcome is not None for row in rows)
        progress = counted(len(rows), "job") if over == len(rows) else f"{over} of {counted(len(rows), 'job')}"
        label = encodable(board.label, self.encoding)
        time = duration(board.elapsed(self.now))
        told = f"  run {board.number}  {progress}  {time}{_outlook(board.outlook(self.now))}"
        return Text.assemble((label, "bold"), (told, "dim"))

    def _everything(self, board: Board) -> Iterator[Text]:
        cells = self._name_cells(board.rows)
        for stage, rows in board.stages.items():
            yield Text(encodable(stage, self.encoding))
            yield from (self._row(row, cells) for row in rows)

    def _stages(self, board: Board, room: int) -> Iterator[Text]:
        """Counts for each stage, and below them as many of the rows that matter as there is room for."""
        chosen = self._chosen(board, room)
        names = {row.name for row in chosen}
        cells, stage_cells = self._name_cells(chosen), max(map(cell_len, board.stages))
        for stage, rows in board.stages.items():
            yield self._stage(stage, stage_cells, self._counts(rows))
            yield from (self._row(row, cells) for row in rows if row.name in names)

    def _totals(self, board: Board, room: int) -> Iterator[Text]:
        yield self._counts(board.rows)
        chosen = self._chosen(board, room)
        cells = self._name_cells(chosen)
        yield from (self._row(row, cells) for row in chosen)

    def _chosen(self, board: Board, room: int) -> list[Row]:
        """Broken jobs in half of the room at most when others are running, and the running ones."""
        broken = [row for row in board.rows if row.is_broken]
        running = [row for row in board.rows if row.is_busy]
        most = max(room - len(running), room // 2)
        shown = broken[: max(most, 0)]
        return [*shown, *running[: max(room - len(shown), 0)]]

    def _ended(self, board: Board) -> Iterator[Text]:
        stage_cells = max(map(cell_len, board.stages), default=0)
        for stage, rows in board.stages.items():
            line = self._stage(stage, stage_cells, Text("   ").join(map(self._short, rows)))
            if line.cell_len <= self.width:
                yield line
                continue
            yield self._stage(stage, stage_cells, self._counts(rows))
            broken = [row for row in rows if row.is_broken]
            yield from (self._row(row, self._name_cells(broken)) for row in broken)

    def _stage(self, stage: str, cells: int, rest: Text) -> Text:
        return Text.assemble(set_cell_size(encodable(stage, self.encoding), cells), "  ", rest)

    def _short(self, row: Row) -> Text:
        seconds = row.elapsed(self.now)
        time = "" if seconds is None else f" {duration(seconds)}"
        return Text.assemble(self._mark(row), " ", encodable(row.name, self.encoding), (time, "dim"))

    def _row(self, row: Row, name_cells: int) -> Text:
        seconds = row.elapsed(self.now)
        time = "" if seconds is None else duration(seconds)
        name = set_cell_size(encodable(row.name, self.encoding), name_cells)
        says = encodable(row.says, self.encoding) or ("" if row.started is not None or row.outcome else "waiting")
        if row.share is not None:
            says = f"{self._bar(row.share)}  {says}"
        return Text.assemble(
            " ", self._mark(row), " ", name, "  ", (time.rjust(_TIME_CELLS), "dim"), "  ", (says, "dim")
        )

    def _name_cells(self, rows: Sequence[Row]) -> int:
        longest = max((cell_len(row.name) for row in rows), default=0)
        return min(longest, max(min(self.width // 2, self.width - _ROW_CELLS), 6))

    def _mark(self, row: Row) -> tuple[str, str]:
        if row.outcome is not None:
            return mark(row.outcome, unicode=self.unicode), STYLES[row.outcome]
        return (self._spinner(), "bold") if row.is_busy else (" ", "")

    def _bar(self, share: float) -> str:
        """``━━━━━━━─────────  41 %``."""
        done, rest = _BAR[self.unicode]
        cells = int(share * _BAR_CELLS)
        return f"{done * cells}{rest * (_BAR_CELLS - cells)} {int(share * 100):3} %"

    def _spinner(self) -> str:
        signs = _SPINNER[self.unicode]
        return signs[int(self.now * _TURNS_PER_SECOND) % len(signs)]

    def _counts(self, rows: Sequence[Row]) -> Text:
        """``✗ 1  ✓ 12  3 running  5 waiting``."""
        counts = Counter(self._mark(row) for row in rows if row.outcome is not None)
        marks = dict.fromkeys((mark(outcome, unicode=self.unicode), style) for outcome, style in STYLES.items())
        parts = [Text.assemble(sign, f" {counts[sign]}") for sign in marks if counts[sign]]
        running = sum(row.is_running for row in rows)
        waiting = sum(row.outcome is None for row in rows) - running
        parts += [Text(f"{count} {word}") for count, word in ((running, "running"), (waiting, "waiting")) if count]
        return Text("  ").join(parts)


def _outlook(expected: tuple[float, float] | None) -> str:
    """When the end is expected; a run that is late is said to be late."""
    if expected is None:
        return ""
    left, late = expected
    words = [f"about {rough(left)} left"] if left >= 1 or late < 1 else []
    words += [f"{rough(late)} late"] if late >= 1 else []
    return f"  {', '.join(words)}"
