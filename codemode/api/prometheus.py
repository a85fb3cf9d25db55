"""`GET /metrics`: the figures of the whole process for a Prometheus scraper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from codemode.api.operations import Operation
from codemode.api.requests import identify, service_of
from codemode.api.series import SERIES, Seen, Series
from codemode.catalog.tenants import TENANT
from codemode.errors import AuthForbidden
from codemode.session.durations import BOUNDS, Durations

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LE = (*map(str, BOUNDS), "+Inf")
_FAMILIES: dict[str, Any] = {
    "counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily,
}  # fmt: skip


class _Snapshot(Collector):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Every series with its figures."""
        for series in SERIES:
            yield _metric(series, series.figure(self._seen))


def _metric(series: Series, figure: Any) -> Metric:
    family = _FAMILIES[series.kind](series.name, series.about, labels=series.labels)
    figures = figure if isinstance(figure, Mapping) else {(): figure}
    for values, value in sorted(figures.items()):
        if isinstance(value, Durations):
            counts, total = value.read()
            family.add_metric(values, tuple(zip(_LE, counts, strict=True)), total)
        else:
            family.add_metric(values, value)
    found: Metric = family
    return found


def exposition(seen: Seen) -> bytes:
    """The figures in Prometheus' text format."""
    # A registry of its own for each scrape: nothing of a process that embeds the application is shown, nothing stays.
    registry = CollectorRegistry()
    registry.register(_Snapshot(seen))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


async def metrics(request: Request) -> Response:
    """The figures of the whole process, of all tenants together, in Prometheus' text format.

    Needs a token of the tenant `local` with the scope `admin` that is bound to no user, or the setting `metrics_open`.
    """
    service = service_of(request)
    if not service.settings.metrics_open:
        request.state.caller = caller = await identify(request)
        caller.require("admin")
        if caller.tenant != TENANT or caller.user is not None:
            # Whoever administers one tenant is not told how busy the others are.
            raise AuthForbidden(
                "these figures are of all tenants together",
                hint="`codemode token create --scope admin` makes a token of the operator's own tenant",
            )
    holdings = await service.call(service.worker.holdings)
    account, pending = service.worker.registry.account, service.background.pending
    seen = Seen(account, request.app.state.traffic, holdings, pending)
    return Response(exposition(seen), media_type=MEDIA_TYPE)


OPERATIONS = (
    Operation(
        method="GET", path="/metrics", name="prometheus", handler=metrics, scope=None, media=MEDIA_TYPE,
        about="The figures of the whole process, for a scraper.", answers={200: str}, problems=(401, 403),
    ),
)  # fmt: skip
