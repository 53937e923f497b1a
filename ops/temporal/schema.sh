#!/bin/sh
# Brings Temporal's two databases up to the server's version; a second run changes nothing.
set -eu

for store in temporal visibility; do
  database=temporal
  [ "$store" = temporal ] || database=temporal_visibility
  sql() {
    temporal-sql-tool --plugin postgres12 --endpoint "$POSTGRES_SEEDS" --port "${DB_PORT:-5432}" \
      --user "$POSTGRES_USER" --password "$POSTGRES_PWD" --database "$database" "$@"
  }
  sql create
  # Version 0.0 only where there is none yet: it would set a newer one back.
  sql update-schema --schema-name "postgresql/v12/$store" 2>/dev/null || {
    sql setup-schema --version 0.0
    sql update-schema --schema-name "postgresql/v12/$store"
  }
done
