"""The root of the command line. Commands are loaded when they run, so that start-up stays quick."""

import click

from accord import __version__
from accord.lazy import Places, lazy_group

COMMANDS: Places = {
    "demo": ("accord.demo.command", "demo", "The whole story on this computer."),
    "check": ("accord.cli.check", "check", "Is this a valid value, and in what one form?"),
    "submit": ("accord.desk.cli.submit", "submit", "Check, seal and send an export."),
    "drafts": ("accord.desk.cli.drafts", "drafts", "What waits for a second person."),
    "approve": ("accord.desk.cli.drafts", "approve", "Let a draft go, or refuse it."),
    "pull": ("accord.desk.cli.pull", "pull", "Receive what is addressed to you."),
    "hold": ("accord.desk.cli.hold", "hold", "Keep what a case needs from being deleted."),
    "inbox": ("accord.desk.cli.inbox", "inbox", "What was received."),
    "show": ("accord.desk.cli.show", "show", "One bundle in full."),
    "search": ("accord.desk.cli.search", "search", "Look values up, with a stated reason."),
    "watch": ("accord.desk.cli.watch", "watch", "Be told when a value comes in."),
    "screen": ("accord.desk.cli.screen", "screen", "Match a file of own rows, on this computer."),
    "export": ("accord.desk.cli.export", "export", "Take records out for other tools."),
    "evidence": ("accord.desk.cli.evidence", "evidence", "One record with all that proves it."),
    "tool": ("accord.desk.cli.tool", "tool", "Tools that read this desk's feeds."),
    "request": ("accord.desk.cli.asking", "request", "Ask others about values or records."),
    "requests": ("accord.desk.cli.asking", "requests", "Requests in and out, and who acts next."),
    "respond": ("accord.desk.cli.answering", "respond", "Answer a request, or close your own."),
    "sighting": ("accord.desk.cli.sighting", "sighting", "Tell a sender what you saw of it."),
    "notice": ("accord.desk.cli.notice", "notice", "Send members a short notice."),
    "contacts": ("accord.desk.cli.contacts", "list_contacts", "Whom to call, by country."),
    "retract": ("accord.desk.cli.retract", "retract", "Take a bundle or records of it back."),
    "recalls": ("accord.desk.cli.recalls", "list_recalls", "What was taken back, and who has it."),
    "digest": ("accord.desk.cli.digest", "show_digest", "What happened, in counts alone."),
    "erasure": ("accord.desk.cli.erasure", "erasure", "The hub's proof that it deleted a bundle."),
    "tally": ("accord.desk.cli.tally", "tally", "Make and send the month's signed tally."),
    "journal": ("accord.desk.cli.journal", "journal", "Say why a journal begins anew."),
    "keys": ("accord.desk.cli.keys", "keys", "The desk's own keys: list, rotate, back up."),
    "verify": ("accord.cli.verify", "verify", "Check evidence, a receipt or a bundle, offline."),
    "desk": ("accord.desk.cli", "desk", "An organisation's own node."),
    "hub": ("accord.hub.cli", "hub", "The shared server that cannot read what it carries."),
    "registrar": ("accord.cli.registrar", "registrar", "The registrar's keys, off the hub."),
    "witness": ("accord.witness.cli", "witness", "Cosign a hub's log."),
    "doctor": ("accord.cli.doctor", "doctor", "What is wrong here, and how to mend it."),
    "log": ("accord.cli.log_verify", "log", "Check a whole transparency log."),
}


@click.group(
    cls=lazy_group(COMMANDS),
    epilog="Exit codes: 0 ok, 1 error, 2 usage, 3 verification failed, 4 enrolment or sign-in "
    "needed, 5 partly done, 6 unavailable for now.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="accord")
def main() -> None:
    """Exchange signed, sealed bundles of indicators through a hub that cannot read them."""
