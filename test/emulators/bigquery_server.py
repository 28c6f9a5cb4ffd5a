"""local-bigquery for tests that make a project each.   python bigquery_server.py serve [OPTIONS]

Its storage tells of two commits that touch one table in words of its own: here they are BigQuery's. Each statement looks some ten
times through the tables of all projects and all results: results and projects go when nobody needs them any more, and what the
catalogue answers is kept until a statement defines something.
"""
import re
import shutil
from collections import deque

from local_bigquery import app, cli, errors
from local_bigquery.catalog import ddl, metadata, row_access, tables
from local_bigquery.engine import database, sessions
from local_bigquery.engine.database import quote
from local_bigquery.jobs import query, store
from local_bigquery.settings import settings

CONFLICT = re.compile(r"Failed to commit DuckLake transaction|Transaction conflict|TransactionContext Error: .*[Cc]onflict")
# Jobs whose results can be read: more than are asked for at once, by far.
KEPT_RESULTS = 64

CATALOGUE = re.compile(r"FROM duckdb_|FROM emulator[.](?!jobs)")

_apply = ddl.apply
_execute = database.execute
_fetch = database.fetch
_from_duckdb = errors.from_duckdb
_save = store.save
_catalogue = {}
_results = deque()


def from_duckdb(error, context=None, tree=None):
    if CONFLICT.search(str(error)):
        return errors.BigQueryError("invalidQuery", "Transaction is aborted due to concurrent update against table")
    return _from_duckdb(error, context, tree)


def fetch(sql, params=None):
    """Of the catalogue the answer that it gave last, if nothing was defined since."""
    if not CATALOGUE.search(sql) or "emulator" in (params or ()):
        return _fetch(sql, params)
    known, key = _catalogue, (sql, *(params or ()))
    if key not in known:
        known[key] = _fetch(sql, params)
    return known[key]


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
    saved = _save(job)
    if job.status.state == "DONE" and job.jobReference.jobId:
        _results.append((job.jobReference.projectId, job.jobReference.jobId))
        while len(_results) > KEPT_RESULTS:
            project_id, job_id = _results.popleft()
            _execute(f"DROP TABLE IF EXISTS {tables.name(project_id, tables.RESULTS, job_id)}")
            store.delete(project_id, job_id)
    return saved


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
database.execute = metadata.execute = forgetting(_execute)
ddl.apply = forgetting(_apply)
errors.from_duckdb = query.from_duckdb = from_duckdb
store.save = save
cli.main()
