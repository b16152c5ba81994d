"""The settings that tools ask for, field by field in their own words, with this desk's values.

Field names: OpenCTI's form of TAXII feeds and MISP's form of feeds, as their source has them;
Microsoft's description of its connector; Splunk's of its threat intelligence settings. MISP puts
``/manifest.json`` behind the URL, so that one has no slash at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.feeds.taxii import ROOT, Taxii

HIDDEN = "the token of this tool"
"""Stands where the token belongs, when it is not there to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One program: where in it, and the fields of its form with what belongs in each.

    Attributes:
        tried: whether the settings were tried with the program itself or its own library.
    """

    key: str
    name: str
    where: str
    fields: Sequence[tuple[str, str]]
    note: str
    tried: bool = False


def clients_of(taxii: Taxii, base: str, *, name: str, token: str = HIDDEN) -> tuple[Client, ...]:
    """Return the settings of each program.

    Args:
        taxii: this desk's server.
        base: scheme and authority under which the tool reaches the desk.
        name: the tool's name at this desk.
        token: its token, where it is known.
    """
    root = f"{base}{ROOT}"
    account = (("Username", name), ("Password", token))
    password = f'taxii_username="{name}" taxii_password="{token}"'
    arguments = f'collection="{taxii.indicators}" {password}'
    return (
        Client(
            key="misp",
            name="MISP",
            where="Sync Actions, Feeds, Add Feed",
            fields=(
                ("Enabled", "yes"),
                ("Name", "Accord"),
                ("Provider", "Accord"),
                ("Input Source", "Network"),
                ("URL", f"{base}/misp"),
                ("Source Format", "MISP Feed"),
                (
                    "Any headers to be passed with requests (for example: Authorization)",
                    f"Authorization: {token}",
                ),
            ),
            note="Then Fetch and store all feed data. Recalled records become deleted attributes.",
        ),
        Client(
            key="opencti",
            name="OpenCTI",
            where="Data, Ingestion, TAXII Feeds, Create a TAXII ingester",
            fields=(
                ("Name", "Accord"),
                ("TAXII server URL", root),
                ("TAXII version", "TAXII 2.1"),
                ("TAXII Collection", taxii.observables),
                ("Authentication type", "Basic user / password"),
                *account,
            ),
            note="This is the collection with observables: without them OpenCTI knows no wallet.",
        ),
        Client(
            key="sentinel",
            name="Microsoft Sentinel",
            where="Data connectors, Threat Intelligence - TAXII",
            fields=(
                ("Friendly name (for server)", "Accord"),
                ("API root URL", root),
                ("Collection ID", taxii.indicators),
                *account,
                ("Polling frequency", "Once an hour"),
            ),
            note="It asks from Microsoft's addresses: put a proxy with TLS in front of the desk, "
            "and the proxy's address in place of the one shown.",
        ),
        Client(
            key="splunk",
            name="Splunk Enterprise Security (8.2 or later)",
            where="Configure, Threat intelligence sources, new source of type TAXII 2",
            fields=(
                ("URL", root),
                ("POST arguments", arguments),
            ),
            note="From 8.4 on, name and token go under Configuration, Credentials; the arguments "
            "then name the user alone. Earlier versions read TAXII 1 only: give them a CSV export.",
        ),
        Client(
            key="taxii",
            name="Any other TAXII 2.1 client",
            where="its own settings of a TAXII 2.1 server",
            fields=(
                ("Discovery URL", f"{base}/taxii2/"),
                ("API root URL", root),
                ("Collection ID (indicators)", taxii.indicators),
                ("Collection ID (with observables)", taxii.observables),
                *account,
            ),
            note="Basic, or the header Authorization: Bearer with the token.",
            tried=True,
        ),
    )
