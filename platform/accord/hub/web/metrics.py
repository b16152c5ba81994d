"""Counts for the operator: answers by status, and the gauges. No label names an organisation."""

import time

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from accord.hub.services import Services
from accord.hub.web.gauges import Gauges

_START = "accord.metrics.start"
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30)


class Metrics:
    """The registry of one hub."""

    def __init__(self, app: Flask, services: Services) -> None:
        """Count every answer of ``app``, and read the rest from ``services``."""
        self._registry = CollectorRegistry()
        self._registry.register(Gauges(services))
        answers = Counter(
            "accord_answers", "HTTP answers.", ["endpoint", "status"], registry=self._registry
        )
        seconds = Histogram(
            "accord_answer_seconds",
            "Time to an answer in seconds.",
            ["endpoint"],
            registry=self._registry,
            buckets=_BUCKETS,
        )

        def begin() -> None:
            request.environ[_START] = time.perf_counter()

        def finish(response: Response) -> Response:
            endpoint = request.endpoint or "unknown"
            answers.labels(endpoint, str(response.status_code)).inc()
            start = request.environ.get(_START)
            if isinstance(start, float):
                seconds.labels(endpoint).observe(time.perf_counter() - start)
            return response

        app.before_request(begin)
        app.after_request(finish)

    def text(self) -> bytes:
        """Return all counts in Prometheus' text form."""
        return generate_latest(self._registry)
