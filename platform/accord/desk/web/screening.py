"""A file of own rows, chosen in the browser and compared here: its progress, matches and report.

The same run as ``accord screen``, with the same reader, limits and journal. The file comes over
loopback and only from somebody who has signed in (``web.bodies``); ``request_class`` puts it into
the desk's own folder.
"""

import contextlib
import io
import re
from typing import IO

from flask import Blueprint, Request, redirect, render_template, request
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from accord.desk.intake.words import printable
from accord.desk.screening import ScreenOptions
from accord.desk.screening.runs import Run, Runs, Upload
from accord.desk.storage.screenings import screenings
from accord.desk.web import words
from accord.desk.web.bodies import MAX_UPLOAD
from accord.desk.web.pages import PageServices
from accord.kernel.errors import AccordError, Malformed, NotFound
from accord.protocol.problems import problem_of
from accord.webbase.actor import current_actor
from accord.webbase.names import NETWORKS
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

SCREENING = "/screening"
PAST = 50
SHOWN = 100
QUICK_SECONDS = 1.0
"""How long a form waits for its result, so that a small file needs no second look."""

LOOK_SECONDS = 5
"""Seconds between two looks of a page that follows a run."""

MAX_COLUMNS = 50
_TEXT = 200
_START = "screening.start"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def screening_routes(services: PageServices, runs: Runs) -> Blueprint:
    """Return the pages over ``runs``."""
    routes = Blueprint("screening", __name__)
    routes.context_processor(lambda: {"words": words, "checked": services.checked()})

    @routes.get(SCREENING)
    @declare("screening:list", who=Who.PERSON)
    def form() -> Response:
        """Show the form, one's own results, and who screened what and why."""
        return _answer(_form(services, runs), 200)

    @routes.post(SCREENING)
    @declare("screening:run", who=Who.PERSON)
    def start() -> Response:
        """Begin a run and lead to its page."""
        try:
            run = _begin(runs)
        except AccordError as error:
            return _answer(_form(services, runs, error), problem_of(error).status)
        follow = "" if run.over.wait(QUICK_SECONDS) else "?follow=yes"
        return redirect(f"{SCREENING}/{run.no}{follow}", code=303)

    @routes.get(f"{SCREENING}/<number>")
    @declare("screening:view", who=Who.PERSON)
    def one_run(number: str) -> Response:
        """Show how far a run is, or what it found."""
        run = _find(runs, number)
        follow = request.args.get("follow") == "yes" and not run.over.is_set()
        answer = _answer(_page(run, follow=follow), 200)
        if follow:  # the person can turn it off: WCAG 2.2.1
            answer.headers["Refresh"] = f"{LOOK_SECONDS}; url={SCREENING}/{run.no}?follow=yes"
        return answer

    @routes.post(f"{SCREENING}/<number>")
    @declare("screening:run", who=Who.PERSON)
    def stop(number: str) -> Response:
        """Stop one's own run."""
        run = _find(runs, number)
        run.stop.set()
        run.over.wait(QUICK_SECONDS)
        return redirect(f"{SCREENING}/{run.no}", code=303)

    @routes.get(f"{SCREENING}/<number>/report.csv")
    @declare("screening:view", who=Who.PERSON)
    def report(number: str) -> Response:
        """Hand over the report."""
        run = _find(runs, number)
        answer = Response(FileWrapper(runs.report_of(run)), content_type="text/csv; charset=utf-8")  # type: ignore[arg-type,unused-ignore]
        answer.headers["Content-Disposition"] = f"attachment; filename=screening-{_no(run)}.csv"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes


def request_class(runs: Runs) -> type[Request]:
    """Return the class of requests whose file to screen goes into the desk's own folder."""

    class ScreeningRequest(Request):
        """Keeps every other file where the framework does."""

        uploads: tuple[Upload, ...] = ()

        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None = None,
            content_length: int | None = None,
        ) -> IO[bytes]:
            if self.endpoint == _START:
                self.uploads = (*self.uploads, upload := runs.upload())
                return upload
            return super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )

        def close(self) -> None:
            """Close the form's files; also those of one that could not be read to its end."""
            super().close()
            if "files" not in self.__dict__:
                for upload in self.uploads:
                    with contextlib.suppress(OSError):  # the disk is full: the rest cannot be kept
                        upload.close()

    return ScreeningRequest


def _answer(page: str, status: int) -> Response:
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _begin(runs: Runs) -> Run:
    """Take the file out of the form, so that the end of the request does not close it.

    Raises:
        Malformed: ``file_none``, or what the form says wrongly.
        Conflict: ``screening_busy``.
    """
    given = request.files.get("file")
    file = None if given is None else given.stream
    if given is None or not given.filename or not isinstance(file, Upload):
        raise Malformed("file_none", gettext("No file was chosen."))
    options = _options(given.filename)
    person, reason = current_actor().name, request.form.get("reason", "")
    run = runs.begin(file, options, person=person, reason=reason)
    given.stream = io.BytesIO()
    return run


def _options(filename: str) -> ScreenOptions:
    network = _told("network")
    if network is not None and network not in NETWORKS:
        raise Malformed("network_unknown", gettext("This network is not known."))
    lines = request.form.get("columns", "").splitlines()
    columns = tuple(line.strip()[:_TEXT] for line in lines if line.strip())
    return ScreenOptions(
        columns=columns[:MAX_COLUMNS],
        network=network,
        encoding=_told("encoding"),
        delimiter=_told("delimiter"),
        sheet=_told("sheet"),
        red=request.form.get("red") == "yes",
        only_lists=request.form.get("lists") == "only",
        name=printable(re.split(r"[/\\]", filename)[-1])[:_TEXT] or "file",
    )


def _told(name: str) -> str | None:
    return request.form.get(name, "").strip()[:_TEXT] or None


def _find(runs: Runs, number: str) -> Run:
    if not _NUMBER.fullmatch(number):
        raise NotFound("screening_unknown", gettext("There is no such screening to look at."))
    return runs.find(int(number), current_actor().name)


def _no(run: Run) -> int:
    """Return the number in the journal, where there is one."""
    return run.no if run.done is None else run.done.no


def _form(services: PageServices, runs: Runs, error: AccordError | None = None) -> str:
    at, step = words.screening_step(error) if error else (None, None)
    return render_template(
        "desk/screening.html",
        here=SCREENING,
        form=request.form,
        networks=NETWORKS,
        most=MAX_UPLOAD // (1024 * 1024),
        runs=runs.of(current_actor().name),
        past=screenings(services.vault, limit=PAST),
        error=error,
        wrong=at,
        step=step,
    )


def _page(run: Run, *, follow: bool) -> str:
    return render_template(
        "desk/screening_run.html",
        here=SCREENING,
        run=run,
        done=run.done,
        over=run.over.is_set(),
        follow=follow,
        shown=SHOWN,
        step=words.screening_step(run.error)[1] if run.error else None,
    )
