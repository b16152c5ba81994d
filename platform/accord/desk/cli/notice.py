"""``accord notice``: a short text to members about a subject."""

from dataclasses import replace
from pathlib import Path

import click

from accord.desk.cli.addressing import TO_HELP, confirmed_recipients
from accord.desk.cli.correspondence import deliver, guarded_text, unsent
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.signed_in import signer_options
from accord.desk.storage.journal import Act
from accord.kernel.correspondence.notice import Notice
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_bundle_id
from accord.kernel.markings import Purpose, Tlp
from accord.terminal import Terminal, common_options


@click.command()
@click.argument("subject")
@click.option("--to", "names", multiple=True, required=True, help=TO_HELP)
@click.option("--text", required=True, help="The note guard masks what may identify a person.")
@click.option("--contact", help="Where to ask; a duty desk, never a person.")
@click.option("--about", "refs", multiple=True, metavar="ID", help="A bundle that it is about.")
@click.option("--tlp", type=click.Choice([str(tlp) for tlp in Tlp]), default="amber")
@click.option("--purpose", type=click.Choice([str(one) for one in Purpose]), default="prevention")
@signer_options
@common_options
def notice(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    subject: str,
    names: tuple[str, ...],
    text: str,
    contact: str | None,
    refs: tuple[str, ...],
    tlp: str,
    purpose: str,
    login: str | None,
    password_file: Path | None,
) -> None:
    """Send members a notice about SUBJECT."""
    words = guarded_text(terminal, text)
    if words is None:
        raise Malformed("notice_empty", "Nothing of the text may travel.", next_step="Rewrite it.")
    said = Notice(subject=subject, text=words, contact=contact)
    with opened_desk(terminal) as desk:
        recipients = confirmed_recipients(terminal, desk, names)
        policy = desk.correspondence.policy(tlp=Tlp(tlp), purpose=Purpose(purpose))
        about = [parse_bundle_id(ref) for ref in refs]
        plan = desk.correspondence.plan_notice(said, recipients, policy, about)
        data = {"subject": subject, "text": words}
        if terminal.dry_run:
            desk.submissions.decide(replace(plan, approved=True)).require()
            terminal.result(data | unsent(recipients), f"Would notify {', '.join(recipients)}.")
            return
        deliver(
            terminal,
            desk,
            desk.correspondence.notice_letter(said, plan),
            signer=(login, password_file),
            act=(Act.BUNDLE_SUBMIT, " ".join(recipients)[:400], "notice"),
            data=data,
            words=f"Notified {', '.join(recipients)}.",
        )
