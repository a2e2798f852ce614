"""Create an index with an older schema."""

from alembic import command
from alembic.config import Config

from tasks.index import addresses, database
from tasks.index.database import Index


def migrate(index_url, revision):
    """Create the tables of an older schema revision."""
    index = Index(database._make_engine(addresses.parse_address(index_url)))
    config = Config()
    config.set_main_option("script_location", "tasks.index:migrations")
    with index.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
    return index
