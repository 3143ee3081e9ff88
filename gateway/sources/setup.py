"""The sources of a gateway, for as long as it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.sources.asking import source_http
from gateway.sources.dicomweb.source import Dicomweb
from gateway.sources.kheops.source import Kheops
from gateway.sources.settings import SourcesSettings
from gateway.sources.source import Source


@dataclass(frozen=True)
class Sources:
    """Those that are configured; None is one that is not."""

    kheops: Kheops | None
    dicomweb: Dicomweb | None

    def by_name(self) -> dict[str, Source]:
        """Return them as jobs know them."""
        named: dict[str, Source | None] = {"kheops": self.kheops, "dicomweb": self.dicomweb}
        return {name: source for name, source in named.items() if source is not None}


@asynccontextmanager
async def sources_of(settings: SourcesSettings) -> AsyncIterator[Sources]:
    """Give the sources that the settings name; their connections end with the block."""
    async with source_http() as http:
        kheops = Kheops(settings.kheops_url, http) if settings.kheops_url else None
        dicomweb = Dicomweb(settings, http) if settings.dicomweb_url else None
        try:
            yield Sources(kheops, dicomweb)
        finally:
            if dicomweb is not None:
                dicomweb.close()
