"""Alembic's entry: runs on the connection that `punktgenau.checkout.migrate` hands over."""

from alembic import context

from punktgenau.checkout import schema_clearing, schema_office, schema_returns  # noqa: F401  register their tables
from punktgenau.checkout.articles import schema as schema_articles  # noqa: F401  likewise
from punktgenau.checkout.earning import schema as schema_earning  # noqa: F401  likewise
from punktgenau.checkout.exchanging import schema as schema_exchanging  # noqa: F401  likewise
from punktgenau.checkout.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
