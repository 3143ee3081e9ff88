"""How the time grows with the slices of a CT, and with the regions of interest on it."""

from collections.abc import Mapping
from typing import Any

from tools.bench.lines import line_through
from tools.bench.plan import Workshop
from tools.bench.requests import Recorder
from tools.bench.service import Service
from tools.bench.timing import interleaved

REGIONS_ONLY = {"regions": "all"}
"""A row for each region, none for the whole volume."""


def measure(workshop: Workshop, service: Service) -> dict[str, Any]:
    """Return the times by size, their stages, and the line through them."""
    plan = workshop.plan
    study = workshop.made(plan.scans[0])
    workshop.say("growth: studies of several sizes in turns")
    by_slices = {
        slices: Recorder(service, service.through_memory, study.zip(slices=slices))
        for slices in plan.slices
    }
    slices = _growth(by_slices, plan.growth_rounds)
    by_regions = {
        regions: Recorder(service, service.through_memory, study.zip(regions=regions), REGIONS_ONLY)
        for regions in plan.regions
    }
    return {"slices": slices, "rows": _growth(by_regions, plan.growth_rounds)}


def _growth(ways: Mapping[int, Recorder], rounds: int) -> dict[str, Any]:
    timings = interleaved({str(size): way for size, way in ways.items()}, rounds)
    line = line_through(list(ways), [timings[str(size)].median for size in ways])
    return {
        "sizes": [
            {
                "size": size,
                "zip_bytes": len(way.study),
                "timing": timings[str(size)].as_json(),
                "stages": way.median_stages(),
            }
            for size, way in ways.items()
        ],
        "line": line.as_json(),
    }
