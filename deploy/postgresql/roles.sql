-- The two databases, and the roles with their privileges: run once, as a superuser, with the passwords in the environment:
--   psql -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql postgres
-- presslake_owner   creates and migrates the tables (`presslake migrate` with its URL); nothing else uses it
-- presslake_worker  reads and writes rows: sweeps, verify, reindex
-- presslake_reader  reads rows: dashboards, metrics, a person with psql
-- prefect           owns the database of Prefect's server, without access to the index
\set QUIET on
\getenv owner_password PRESSLAKE_OWNER_PASSWORD
\getenv worker_password PRESSLAKE_WORKER_PASSWORD
\getenv reader_password PRESSLAKE_READER_PASSWORD
\getenv prefect_password PREFECT_DB_PASSWORD

CREATE ROLE presslake_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE presslake_worker LOGIN PASSWORD :'worker_password';
CREATE ROLE presslake_reader LOGIN PASSWORD :'reader_password';
CREATE ROLE prefect LOGIN PASSWORD :'prefect_password';
ALTER ROLE presslake_reader SET default_transaction_read_only = on;  -- a second fence: the grants below are the first

CREATE DATABASE presslake OWNER presslake_owner ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE prefect OWNER prefect ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE presslake, prefect FROM PUBLIC;  -- otherwise any role that may log in can connect to both
GRANT CONNECT ON DATABASE presslake TO presslake_worker, presslake_reader;

\connect presslake
ALTER SCHEMA public OWNER TO presslake_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO presslake_worker, presslake_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE presslake_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO presslake_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE presslake_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO presslake_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE presslake_owner IN SCHEMA public
  GRANT SELECT ON TABLES TO presslake_reader;

\connect prefect
ALTER SCHEMA public OWNER TO prefect;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
