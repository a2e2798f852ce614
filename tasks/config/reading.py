"""The catalogue that a run is to use, where it needs one."""

from tasks.config.catalogue import Catalogue
from tasks.config.loading import load_catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings


def read_catalogue(settings: Settings, config: IngestConfig) -> Catalogue | None:
    """Return the catalogue, or None when single feeds or URLs are asked for and there is none; raises CatalogueError."""
    if (
        (config.feeds or config.urls)
        and "catalogue" not in settings.model_fields_set
        and not settings.catalogue.exists()
    ):
        return None
    return load_catalogue(settings.catalogue)
