"""Alembic's entry point: run the migrations on the given connection, inside its transaction."""

from alembic import context

from tasks.index.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
