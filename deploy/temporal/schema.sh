#!/bin/sh
# Create Temporal's two databases, or bring their tables to this version. Repeat at will.
# Reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD, as temporal-sql-tool does.
set -eu

schemas=/etc/temporal/schema/postgresql/v12

for database in temporal:temporal temporal_visibility:visibility; do
    name=${database%%:*}
    temporal-sql-tool --db "$name" create
    temporal-sql-tool --db "$name" setup-schema -v 0.0 || echo "$name has its tables"
    temporal-sql-tool --db "$name" update-schema -d "$schemas/${database##*:}/versioned"
done
