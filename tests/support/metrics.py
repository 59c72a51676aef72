"""Reading a service's metrics as Prometheus does."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.waiting import BOUND_S

Metrics = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(port: int) -> Metrics:
    """Every sample by its name and labels."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics", timeout=BOUND_S)).raise_for_status()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    """All samples of that name that bear these labels, added up; 0 where there is none."""
    wanted = set(labels.items())
    return sum(value for (own, labelled), value in metrics.items() if own == name and wanted <= labelled)
