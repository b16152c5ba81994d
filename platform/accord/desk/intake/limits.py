"""What a file may cost before it is refused. Each limit is checked before the work it bounds."""

SAMPLE_BYTES = 256 * 1024
"""Bytes at the start from which encoding and delimiter are told."""

CHUNK_CHARS = 1 << 20
"""Characters decoded at a time."""

MAX_LINE_CHARS = 1 << 20
"""Characters of one physical line; a longer one is no export but a bomb or another kind of file."""

MAX_CELL_CHARS = 128 * 1024
"""Characters of one cell; a longer one spoils its row."""

MAX_RECORD_LINES = 2_000
"""Physical lines that one quoted cell may run over before its quote counts as unclosed."""

MAX_COLUMNS = 1_024
"""Cells of a row that is read; a wider one is refused."""

SAMPLE_ROWS = 400
"""Rows from which the meaning of columns is told."""

MAX_HEADER_DEPTH = 20
"""Rows from the top among which a header is looked for (titles often stand above it)."""

BLOCK_ROWS = 8_192
"""Rows judged together."""

MAX_TEXT_BYTES = 64 << 30
"""Bytes of a text file; it is streamed, so this bounds time, not memory."""

MAX_BOOK_BYTES = 256 << 20
"""Bytes of a spreadsheet file as it lies on disk."""

MAX_OLD_BOOK_BYTES = 64 << 20
"""Bytes of an XLS file, whose records are walked one by one."""

MAX_BOOK_UNPACKED = 2 << 30
"""Bytes that the parts of an XLSX file may have when unpacked, counted while unpacking."""

MAX_BOOK_RATIO = 200
"""Unpacked bytes for each packed byte of one part, once the part exceeds ``RATIO_FLOOR``."""

RATIO_FLOOR = 16 << 20
"""Unpacked bytes below which a part's ratio does not matter (small sheets pack very well)."""

MAX_BOOK_PARTS = 2_000
"""Parts of an XLSX file."""

MAX_SHEET_CELLS = 12_000_000
"""Cells of the rectangle that a sheet spans; the reader allocates all of it."""
