#!/bin/sh
# Run once by the Postgres image, on an empty data folder: what a superuser prepares for Intake.
set -eu

psql --set ON_ERROR_STOP=1 --set password="$INTAKE_DATABASE_PASSWORD" \
  --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role anon nologin;
create role authenticated nologin;
create role service_role nologin;
create role intake_app login password :'password' in role authenticated;
create database intake owner intake_app;
\connect intake
create extension vector;
SQL
