"""Bar charts as SVG made on the server, always with the table behind them.

This module computes the geometry; the macro in ``parts.html`` writes it, so that every text is
escaped. A bar without a value is hidden by disclosure control and drawn as a mark of fixed width
that tells nothing. Bars that are ``small`` stand in the table only: a row of empty marks hides the
others. The drawing shrinks with the page; its text stays readable down to 320 px.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BAR_HEIGHT = 22
GAP = 8
LABEL_WIDTH = 140
PLOT_WIDTH = 220
VALUE_WIDTH = 70
HIDDEN_WIDTH = 14
"""Sizes in SVG user units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One value of a chart.

    Attributes:
        label: what is counted.
        value: the number to draw, or ``None`` when it is hidden.
        shown: the number as text, for example ``1 250`` or ``<10``.
        small: whether it stands in the table only.
    """

    label: str
    value: int | None
    shown: str
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBar:
    """A bar with its place."""

    bar: Bar
    top: int
    width: int

    @property
    def baseline(self) -> int:
        """Height at which its texts stand."""
        return self.top + BAR_HEIGHT - 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """A chart that the template can write: ``rows`` for the table, ``bars`` for the drawing."""

    title: str
    unit: str
    rows: tuple[Bar, ...]
    bars: tuple[DrawnBar, ...]

    @property
    def left_out(self) -> int:
        """How many rows stand in the table only."""
        return len(self.rows) - len(self.bars)

    @property
    def width(self) -> int:
        """Width of the drawing."""
        return LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH

    @property
    def height(self) -> int:
        """Height of the drawing."""
        return max(1, len(self.bars)) * (BAR_HEIGHT + GAP) + GAP

    @property
    def left(self) -> int:
        """Where the bars begin."""
        return LABEL_WIDTH


def bar_chart(title: str, bars: Sequence[Bar], *, unit: str) -> BarChart:
    """Return the chart of ``bars`` in their order.

    Args:
        title: one line; also the drawing's accessible name.
        bars: values of zero or more.
        unit: heading of the table's number column.
    """
    largest = max((bar.value for bar in bars if bar.value is not None), default=0)
    drawn = tuple(
        DrawnBar(
            bar=bar,
            top=GAP + at * (BAR_HEIGHT + GAP),
            width=HIDDEN_WIDTH if bar.value is None else _width(bar.value, largest),
        )
        for at, bar in enumerate(bar for bar in bars if not bar.small)
    )
    return BarChart(title=title, unit=unit, rows=tuple(bars), bars=drawn)


def _width(value: int, largest: int) -> int:
    return max(1, round(PLOT_WIDTH * value / largest)) if largest and value > 0 else 1
