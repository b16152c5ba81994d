"""The charter that a new hub proposes (flows, "default charter"). Registrars sign or change it."""

DEFAULT_CHARTER = """\
# Sharing agreement. What no rule allows is refused. Registrars sign these bytes as they are.
format = 1
version = 1
name = "Default charter"

[[rule]]
name = "financial-to-police"
words = "Financial institutions report to law enforcement."
from = ["financial"]
to = ["law_enforcement"]
kinds = ["indicators", "retraction"]
max_tlp = "red"
purposes = ["prevention", "suspicion-report", "investigation", "victim-protection", "takedown"]
jurisdictions = ["any"]
onward = ["none", "same-kind", "law-enforcement", "ask-first"]
approval = false
retention_days = 1825

[[rule]]
name = "financial-answers"
words = "Financial institutions answer whoever asked them or shared with them."
from = ["financial"]
to = ["law_enforcement", "financial", "ngo"]
kinds = ["response", "sighting"]
reply_only = true
max_tlp = "red"
purposes = [
  "prevention",
  "suspicion-report",
  "investigation",
  "victim-protection",
  "takedown",
  "screening",
]
jurisdictions = ["any"]
onward = ["none", "same-kind", "law-enforcement", "ask-first"]
approval = false
retention_days = 1825

[[rule]]
name = "police-to-members"
words = "Law enforcement sends requests, screening lists and notices, and gives feedback."
from = ["law_enforcement"]
to = ["financial", "law_enforcement", "ngo"]
kinds = ["request", "response", "list", "notice", "sighting", "retraction"]
max_tlp = "red"
purposes = ["prevention", "investigation", "victim-protection", "takedown", "screening"]
jurisdictions = ["any"]
onward = ["none", "same-kind", "law-enforcement", "ask-first"]
approval = false
retention_days = 1825

[[rule]]
name = "hotline-to-police"
words = "Hotlines report to law enforcement."
from = ["ngo"]
from_capabilities = ["hotline"]
to = ["law_enforcement"]
kinds = ["indicators", "response", "sighting", "notice", "retraction"]
max_tlp = "red"
purposes = ["prevention", "investigation", "victim-protection", "takedown"]
jurisdictions = ["any"]
onward = ["none", "same-kind", "law-enforcement", "ask-first"]
approval = false
retention_days = 1825

[[rule]]
name = "hotline-to-financial"
words = "Hotlines alert financial institutions."
from = ["ngo"]
from_capabilities = ["hotline"]
to = ["financial"]
kinds = ["indicators", "response", "sighting", "notice", "retraction"]
max_tlp = "amber+strict"
purposes = ["prevention", "victim-protection", "takedown", "screening"]
jurisdictions = ["any"]
onward = ["none", "law-enforcement", "ask-first"]
approval = false
retention_days = 730

[[grant]]
name = "members"
words = "Members see their own records and receipts and the members' dashboard."
kinds = ["financial", "law_enforcement"]
actions = [
  "own-records:view",
  "receipts:view",
  "dashboard:view",
  "tally:send",
  "summary:view",
  "directory:view",
  "charter:view",
  "log:view",
]

[[grant]]
name = "police-overlaps"
words = "Law enforcement is told of overlaps."
kinds = ["law_enforcement"]
actions = ["overlap:view"]

[[grant]]
name = "ngo-summaries"
words = "NGOs see safe summaries and what is addressed to them."
kinds = ["ngo"]
actions = [
  "own-records:view",
  "receipts:view",
  "summary:view",
  "directory:view",
  "charter:view",
  "log:view",
]

[[grant]]
name = "hotline-tallies"
words = "Hotlines that submit also send their tally."
kinds = ["ngo"]
capabilities = ["hotline"]
actions = ["tally:send"]

[[grant]]
name = "oversight"
words = "Oversight reads the whole audit trail and the summaries, and no bundle."
kinds = ["oversight"]
actions = ["audit:view", "summary:view", "directory:view", "charter:view", "log:view"]

[[grant]]
name = "operator"
words = "The operator sees directory, charter and health, and no bundle."
kinds = ["operator"]
actions = ["directory:view", "charter:view", "health:view", "log:view"]
"""
