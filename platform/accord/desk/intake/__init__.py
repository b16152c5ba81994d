"""Intake: from the export that an institution already has to checked, canonical record lines.

The room reads files as they are (CSV, TSV, XLSX, XLS), finds out what the columns mean, and gives
each row one result. It drops nothing: a row is ready, changed, refused, held, duplicate or blank.
It seals, sends and stores nothing.
"""
