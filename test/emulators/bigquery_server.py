"""local-bigquery, whose storage tells of two commits that touch one table in words of its own: here in BigQuery's.   python bigquery_server.py serve [OPTIONS]"""
import re
from local_bigquery import cli, errors
from local_bigquery.jobs import query

CONFLICT = re.compile(r"Failed to commit DuckLake transaction|Transaction conflict|TransactionContext Error: .*[Cc]onflict")
_from_duckdb = errors.from_duckdb


def from_duckdb(error, context=None, tree=None):
    if CONFLICT.search(str(error)):
        return errors.BigQueryError("invalidQuery", "Transaction is aborted due to concurrent update against table")
    return _from_duckdb(error, context, tree)


errors.from_duckdb = query.from_duckdb = from_duckdb
cli.main()
