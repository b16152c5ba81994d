"""Cells of files that spreadsheets open: none of them may start a formula (ASVS 1.2.10)."""

from typing import Final

_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Also the full-width forms, which some spreadsheets read as the plain ones."""


def protect(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet takes it for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def unprotect(cell: str) -> str:
    """Undo ``protect``."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
