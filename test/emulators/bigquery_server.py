"""local-bigquery for tests that make a project each.   python bigquery_server.py serve [OPTIONS]

Its storage tells of two commits that touch one table in words of its own: here they are BigQuery's. Each statement looks some ten
times through the tables of all projects: what the catalogue answers is read from DuckLake's own tables, and kept until a statement
defines something. Jobs are kept in memory; results and projects go when nobody needs them any more.
"""
import re
import shutil
import threading
from collections import deque

from local_bigquery import app, cli, errors
from local_bigquery.catalog import ddl, metadata, row_access, tables
from local_bigquery.engine import database, sessions
from local_bigquery.engine.database import quote
from local_bigquery.jobs import query, runner, store
from local_bigquery.settings import settings

CONFLICT = re.compile(r"Failed to commit DuckLake transaction|Transaction conflict|TransactionContext Error: .*[Cc]onflict")
# Jobs whose results can be read: more than are asked for at once, by far.
KEPT_RESULTS = 64

CATALOGUE = re.compile(r"FROM duckdb_|FROM emulator[.]")
# DuckDB's lists load the tables of every project for each look. These are DuckLake's own of one project.
NOW = "end_snapshot IS NULL"
LISTS = {
    "duckdb_schemas()": f"(SELECT $project AS database_name, schema_name FROM $lake.ducklake_schema WHERE {NOW})",
    "duckdb_tables()": f"""(
        SELECT $project AS database_name, schema_name, table_name, coalesce(record_count, 0) AS estimated_size
        FROM (FROM $lake.ducklake_table WHERE {NOW}) JOIN (FROM $lake.ducklake_schema WHERE {NOW}) USING (schema_id)
        LEFT JOIN $lake.ducklake_table_stats USING (table_id))""",
    "duckdb_views()": f"""(
        SELECT $project AS database_name, schema_name, view_name, false AS internal
        FROM (FROM $lake.ducklake_view WHERE {NOW}) JOIN (FROM $lake.ducklake_schema WHERE {NOW}) USING (schema_id))""",
    "duckdb_columns()": f"""(
        SELECT $project AS database_name, schema_name, table_name, column_name, nulls_allowed AS is_nullable
        FROM (FROM $lake.ducklake_column WHERE {NOW} AND parent_column IS NULL)
        JOIN (FROM $lake.ducklake_table WHERE {NOW}) USING (table_id) JOIN (FROM $lake.ducklake_schema WHERE {NOW}) USING (schema_id))""",
}
TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
DEFINES = re.compile(r"\b(temp|temporary|drop|declare)\b", re.IGNORECASE)

_apply = ddl.apply
_execute = database.execute
_fetch = database.fetch
_from_duckdb = errors.from_duckdb
_columns = tables.columns
_run_query = query.execute
_run_job = runner._query
_catalogue = {}
_jobs = {}
_results = deque()


def from_duckdb(error, context=None, tree=None):
    if CONFLICT.search(str(error)):
        return errors.BigQueryError("invalidQuery", "Transaction is aborted due to concurrent update against table")
    return _from_duckdb(error, context, tree)


def run_job(job, session, running):
    """BigQuery ends a job that takes longer than its jobTimeoutMs; local-bigquery doesn't."""
    limit = int(job.configuration.jobTimeoutMs or 0) / 1000
    if limit == 0:
        return _run_job(job, session, running)
    over, late = threading.Event(), []

    def end():
        if over.wait(limit):
            return
        late.append(True)
        # Before DuckDB has begun nobody hears it.
        while not over.wait(0.05):
            if running.cursor:
                running.cursor.interrupt()

    threading.Thread(target=end, daemon=True).start()
    try:
        return _run_job(job, session, running)
    except Exception:
        if late:
            raise errors.BigQueryError("stopped", f"Job execution was cancelled: Job timed out after {limit:g}s") from None
        raise
    finally:
        over.set()


def remembered(key, ask):
    """What the catalogue answered last, if nothing was defined since."""
    known = _catalogue
    if key not in known:
        known[key] = ask()
    return known[key]


def fetch(sql, params=None):
    if not CATALOGUE.search(sql) or "emulator" in (params or ()):
        return _fetch(sql, params)
    return remembered((sql, *(params or ())), lambda: _fetch(listed(sql, params), params))


def listed(sql, params):
    project = params[0] if params else None
    if project not in database._attached or "duckdb_functions()" in sql:
        return sql
    for name, own in LISTS.items():
        text = own.replace("$lake", quote(f"__ducklake_metadata_{project}")).replace("$project", f"'{project}'")
        sql = sql.replace(f"FROM {name}", f"FROM {text}")
    return sql


def columns(project_id, dataset_id, table_id):
    ask = lambda: _columns(project_id, dataset_id, table_id)
    return ask() if dataset_id == tables.RESULTS else remembered(("columns", project_id, dataset_id, table_id), ask)


class Cursor:
    """A cursor of a job that knows which temporary tables its session has."""

    def __init__(self, cursor, names):
        self._cursor, self._names = cursor, names

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def sql(self, sql, **options):
        return self._names if sql == TEMPORARY and self._names is not None else self._cursor.sql(sql, **options)


class Names(list):
    def fetchall(self):
        return self


def run_query(cursor, project_id, job_id, config, dry_run=False, session=None):
    # A cursor without a session is a new one.
    names = getattr(session, "temporary", None) if session else Names()
    if session and names is None:
        names = session.temporary = Names(cursor.sql(TEMPORARY).fetchall())
    try:
        return _run_query(Cursor(cursor, names), project_id, job_id, config, dry_run, session)
    finally:
        if session and DEFINES.search(config.query or ""):
            session.temporary = None


def forgetting(work):
    def done(*args):
        global _catalogue
        try:
            return work(*args)
        finally:
            # Another one: what is being asked meanwhile goes into the old one.
            _catalogue = {}

    return done


def save(job):
    reference = job.jobReference
    _jobs[reference.projectId, reference.jobId] = job
    if job.status.state == "DONE" and reference.jobId:
        _results.append((reference.projectId, reference.jobId))
        while len(_results) > KEPT_RESULTS:
            project_id, job_id = _results.popleft()
            _execute(f"DROP TABLE IF EXISTS {tables.name(project_id, tables.RESULTS, job_id)}")
            _jobs.pop((project_id, job_id), None)
    return job


def load(project_id, job_id):
    return _jobs.get((project_id, job_id))


@app.delete("/emulator/projects/{project_id}")
def forget(project_id: str):
    """The end of a test's project."""
    for session in [each for each in sessions._sessions.values() if each.project_id == project_id]:
        sessions.abort(session.id)
    database.execute(f"DETACH DATABASE IF EXISTS {quote(project_id)}")
    database._attached.discard(project_id)
    for path in settings.data_dir.glob(f"{project_id}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


database.fetch = metadata.fetch = row_access.fetch = fetch
tables.columns = columns
query.execute = run_query
runner._query = run_job
database.execute = metadata.execute = forgetting(_execute)
ddl.apply = forgetting(_apply)
errors.from_duckdb = query.from_duckdb = from_duckdb
store.save, store.load = save, load
cli.main()
