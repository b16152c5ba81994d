"""The words of exports: column names, kinds, roles, directions in several languages.

Folded text is compared: lower case, no accents, every other sign a space. Adding a word is safe;
a word must not stand for two fields.
"""

import re
import unicodedata
from typing import Final

from accord.kernel.indicators import Basis, Direction, Kind, Role
from accord.kernel.indicators.countries import COUNTRIES

_SIGNS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Return ``text`` in lower case, without accents, words parted by one space."""
    if not text.isascii():
        text = unicodedata.normalize("NFD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return _SIGNS.sub(" ", text.casefold()).strip()


def printable(text: str) -> str:
    """Return ``text`` on one line without control characters, fit for a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


_NAMES: Final = {
    "value": "value|wallet|address|addr|wallet address|crypto address|wallet adresse|adresse|wert"
    "|domain|domains|domain name|domaine|dominio|domein|url|urls|website|site|host|hostname|link"
    "|indicator|ioc|observable|item|artefact|artifact|account|konto|direccion|direccion wallet"
    "|indirizzo|endereco|carteira|cartera|portefeuille|adres|portfel|onion|onion address"
    "|hidden service|service|beneficiary address|destination address|counterparty address|geldborse"
    "|valeur|valor|valore|waarde|adresse crypto|kryptoadresse|krypto adresse|value as published"
    "|deposit address|withdrawal address|to address|btc address|eth address|wallet id|indicateur",
    "network": "network|chain|blockchain|netzwerk|kette|coin|currency|crypto|cryptocurrency|krypto"
    "|wahrung|waehrung|kryptowahrung|kryptowaehrung|reseau|chaine|monnaie|devise|red|cadena|moneda"
    "|rete|catena|valuta|moeda|rede|munt|netwerk|siec|waluta|protocol|ledger|coin type"
    "|currency type|asset type",
    "kind": "type|kind|typ|art|indicator type|ioc type|observable type|tipo|soort|rodzaj",
    "token": "token|asset|asset as published|symbol|ticker|aktivum|actif|activo|asset code",
    "role": "role|rolle|category|kategorie|usage|use|verwendung|zweck|funktion|categorie|categoria"
    "|funcion|uso|ruolo|rol|tag|abuse type|usage type"
    "|transaction type|vorgangsart|transaktionsart|tx type",
    "first": "first|first seen|firstseen|first seen at|date|datum|date seen|date seized|seen"
    "|observed|observed at|timestamp|time|zeitpunkt|zeit|tag der feststellung|erstmals"
    "|erstmals gesehen"
    "|zuerst gesehen|fecha|primera vez|data|prima vista|premiere fois|date de constatation|heure"
    "|datum gezien|opened|created|created at|transaction date|tx date|buchungsdatum|buchungstag"
    "|valuta datum|reported|reported at|date reported|sichergestellt am|datetime|date time"
    "|first activity|start date|from date",
    "last": "last|last seen|lastseen|last seen at|zuletzt|zuletzt gesehen|letzte|ultima vez"
    "|derniere fois|ultima vista|laatst gezien|last activity|end date|until",
    "confidence": "confidence|score|konfidenz|sicherheit|vertrauen|confiance|confianza|confidenza"
    "|certainty|rating|vertrouwen|reliability|risk score",
    "basis": "basis|grundlage|source type|quelle art|base|how known|origin of information",
    "note": "note|notes|remark|remarks|bemerkung|bemerkungen|comment|comments|kommentar"
    "|beschreibung"
    "|description|observaciones|observacion|remarque|remarques|commentaire|opmerking|opmerkingen"
    "|notiz|notizen|nota|notas|uwagi|hinweis|details|text|freitext|anmerkung|descripcion"
    "|descrizione|narrative",
    "memo": "memo|destination tag|dest tag|memo tag|payment id|memo id|verwendungszweck memo"
    "|xrp tag",
    "country": "country|land|pays|pais|paese|kraj|jurisdiction|country code|landercode|iso country",
    "vasp": "vasp|exchange|borse|service provider|provider|plateforme|plataforma|bourse",
    "tx": "tx|tx hash|txhash|txid|tx id|transaction|transaction hash|transaction id|hash"
    "|transaktion|transaktionshash|transaktions id|transaccion",
    "amount": "amount|betrag|montant|importe|importo|monto|bedrag|kwota|summe|volume|quantity"
    "|menge|value usd|value eur|amount crypto|quantidade",
    "direction": "direction|richtung|sens|direccion del movimiento|in out|side|debit credit"
    "|soll haben|richting",
    "tlp": "tlp|marking|traffic light|traffic light protocol|classification",
}
NAMES: Final = {field: frozenset(line.split("|")) for field, line in _NAMES.items()}
"""Folded column names of each field."""

_KINDS: Final = {
    Kind.WALLET: "wallet|address|crypto address|crypto wallet|btc addr|btc address|btc wallet"
    "|eth address|adresse|wallet adresse|kryptoadresse|wallet address|cryptocurrency wallet|btc"
    "|coin address|crypto|cartera|portefeuille|bitcoin address|account|cryptocurrency address",
    Kind.DOMAIN: "domain|domain name|hostname|host|fqdn|cyberlocker|website|site|web|filehoster"
    "|file host|file hosting|domaine|dominio|webseite",
    Kind.ONION: "onion|tor|hidden service|onion service|tor hidden service|darknet|dark web"
    "|onion v3"
    "|darkweb",
    Kind.URL: "url|link|uri|web page|page|lien|enlace",
    Kind.TRANSACTION: "transaction|tx|tx hash|txid|transaction hash|hash|transaktion|transaccion",
}
KINDS: Final = {word: kind for kind, line in _KINDS.items() for word in line.split("|")}
"""Kind of indicator by folded word."""

_ROLES: Final = {
    Role.PAYMENT: "payment|payments|zahlung|paiement|pago|pagamento|betaling|payment receiving"
    "|bezahlung|platnosc|purchase|kauf",
    Role.COLLECTION: "collection|sammelkonto|sammlung|collecte|aggregation|recaudacion"
    "|sammelwallet",
    Role.CONSOLIDATION: "consolidation|konsolidierung|consolidacion|sweep|sweeping",
    Role.MIXER: "mixer|mixing|tumbler|coinjoin|mixing service|mezclador|melangeur",
    Role.CASH_OUT: "cash out|cashout|auszahlung|withdrawal|off ramp|offramp|retrait|retiro|abhebung"
    "|auscashen|uitbetaling|prelievo",
    Role.EXCHANGE_DEPOSIT: "exchange deposit|deposit|einzahlung|deposit address|einzahlungsadresse"
    "|depot|deposito|exchange",
    Role.HOSTING: "hosting|filehoster|file hosting|cyberlocker|host|file host|hebergement"
    "|filesharing",
    Role.AFFILIATE: "affiliate|affiliate program|partnerprogramm|referral|affilie",
    Role.STOREFRONT: "storefront|shop|store|market|marketplace|marktplatz|boutique|tienda|vendor",
    Role.PAYMENT_PAGE: "payment page|checkout|bezahlseite|zahlungsseite|page de paiement",
    Role.UNKNOWN: "unknown|unbekannt|inconnu|desconocido|onbekend|sconosciuto",
}
ROLES: Final = {word: role for role, line in _ROLES.items() for word in line.split("|")}
"""Role by folded word."""

DIRECTIONS: Final = {
    word: direction
    for direction, line in {
        Direction.IN: "in|incoming|received|receive|eingang|haben|credit|entrant|entrada"
        "|deposit|c|cr",
        Direction.OUT: "out|outgoing|sent|send|ausgang|soll|debit|sortant|salida|withdrawal|d|dr",
    }.items()
    for word in line.split("|")
}
"""Direction by folded word."""

BASES: Final = {
    word: basis
    for basis, line in {
        Basis.OBSERVED: "observed|own observation|beobachtet|festgestellt|observe|observado|seen",
        Basis.REPORTED: "reported|report|gemeldet|signale|reportado|denunciado|gemeld",
        Basis.INFERRED: "inferred|inferred cluster|cluster|abgeleitet|deduit|inferido|heuristic",
        Basis.THIRD_PARTY: "third party|drittquelle|tiers|terceros|open source|osint|vendor",
    }.items()
    for word in line.split("|")
}
"""Basis by folded word."""

COUNTRY_NAMES: Final = {code: code for code in COUNTRIES} | {"UK": "GB", "EL": "GR"}
"""ISO 3166-1 code by the code as written."""

_PERSONS = (
    "customer client cliente kunde kunden kundin holder inhaber titular titulaire owner person name"
    " names naam nom nombre nome victim opfer victime victima vittima suspect"
)
PERSONS: Final = frozenset(_PERSONS.split())
"""Folded words by which a column is about a person."""

_TOTALS = (
    "summe|gesamt|gesamtsumme|total|totals|grand total|sum|somme|suma|totale|totaal|subtotal"
    "|zwischensumme|razem|soma"
)
TOTALS: Final = frozenset(_TOTALS.split("|"))
"""Folded words that mark a row of totals."""
