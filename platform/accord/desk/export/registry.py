"""The formats, one line each."""

from collections.abc import Mapping

from accord.desk.export.csv import CSV
from accord.desk.export.form import Format
from accord.desk.export.list import LIST
from accord.desk.export.misp import MISP
from accord.desk.export.stix import STIX
from accord.desk.export.xlsx import XLSX

FORMATS: Mapping[str, Format] = {one.name: one for one in (CSV, XLSX, STIX, MISP, LIST)}
"""Formats by the name that ``accord export`` takes."""
