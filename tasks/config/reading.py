"""The catalogue for a run, if the run needs one."""

from tasks.config.catalogue import Catalogue
from tasks.config.loading import load_catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings


def read_catalogue(settings: Settings, config: IngestConfig) -> Catalogue | None:
    """Return the catalogue, or None if there is none and the run names feeds or URLs; raises CatalogueError."""
    if (
        (config.feeds or config.urls)
        and "catalogue" not in settings.model_fields_set
        and not settings.catalogue.exists()
    ):
        return None
    return load_catalogue(settings.catalogue)
