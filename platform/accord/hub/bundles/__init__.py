"""Sealed bundles at the hub: acceptance, delivery, receipts, acknowledgements, retention.

The room decides and stores; it holds no key that opens anything and never logs a body.
"""

from accord.hub.bundles.acknowledgements import Acknowledgements
from accord.hub.bundles.deliveries import Deliveries, Delivery
from accord.hub.bundles.ledger import RecallCount, RecallCounts
from accord.hub.bundles.quarantine import Held, HeldState, Quarantine
from accord.hub.bundles.quotas import Limits, QuotaRecords, Quotas
from accord.hub.bundles.receipts import Receipts
from accord.hub.bundles.retention import Retention
from accord.hub.bundles.service import Bundles, Stored
from accord.hub.bundles.shelf import Shelf
from accord.hub.bundles.sweep import BodySweep
from accord.hub.bundles.visibility import Visibility

__all__ = [
    "Acknowledgements",
    "BodySweep",
    "Bundles",
    "Deliveries",
    "Delivery",
    "Held",
    "HeldState",
    "Limits",
    "Quarantine",
    "QuotaRecords",
    "Quotas",
    "RecallCount",
    "RecallCounts",
    "Receipts",
    "Retention",
    "Shelf",
    "Stored",
    "Visibility",
]
