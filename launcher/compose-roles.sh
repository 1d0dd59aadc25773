#!/bin/sh
# Makes both database roles when the compose file's PostgreSQL starts for the first time.
# The owner migrates and dumps, and passes every row policy; the web role passes none and owns nothing.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=owner="$OWNER_PASSWORD" --set=web="$WEB_PASSWORD" --set=database="$POSTGRES_DB" <<'SQL'
CREATE ROLE groundschool_owner LOGIN NOSUPERUSER BYPASSRLS PASSWORD :'owner';
CREATE ROLE groundschool_web LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'web';
ALTER DATABASE :"database" OWNER TO groundschool_owner;
SQL
