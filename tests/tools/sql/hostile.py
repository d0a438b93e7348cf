"""Statements that must change, make and leak nothing, whatever the engine: the shared ones, and each engine's own."""

from pathlib import Path

from tests.tools.sql.test_read_only import hostile as shared


def _wrapped(calls: list[str]) -> list[str]:
    """Return each call where a statement may hide it: selected, in a condition, an order, a CTE and a subquery."""
    forms = (
        "SELECT {}",
        "SELECT 1 FROM customers WHERE {} IS NOT NULL",
        "SELECT name FROM customers ORDER BY {}",
        "WITH x AS (SELECT {} AS y) SELECT * FROM x",
        "SELECT (SELECT {} LIMIT 1)",
    )
    return [forms[number % len(forms)].format(call) for number, call in enumerate(calls)]


def sqlite(folder: Path) -> list[str]:
    new = folder / "new.db"
    calls = [
        "load_extension('x')", "readfile('/etc/passwd')", f"writefile('{new}', 'x')", "edit('x')", "fts3_tokenizer('x')",
        "sqlite_source_id()", "zeroblob(1000000000)", "randomblob(1000000000)", "changes()", "total_changes()",
        "last_insert_rowid()", "sqlite_compileoption_used('x')", "load_extension('/lib/x', 'y')", "getenv('CANARY')",
    ]  # fmt: skip
    more = [
        "SELECT * FROM pragma_journal_mode('wal')", "SELECT * FROM pragma_user_version(9)", "PRAGMA main.user_version",
        "PRAGMA foreign_keys=0", "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA auto_vacuum=1", "PRAGMA secure_delete=1",
        "PRAGMA mmap_size=1", "PRAGMA module_list", "SELECT * FROM pragma_function_list", "EXPLAIN DROP TABLE orders",
        "CREATE TABLE IF NOT EXISTS evil (a)", "INSERT OR REPLACE INTO orders VALUES (1, 1, 1, 1)",
        "UPDATE OR IGNORE orders SET total = 1", "DELETE FROM orders WHERE id IN (SELECT id FROM orders)",
        "WITH RECURSIVE x(a) AS (SELECT 1) INSERT INTO orders SELECT a, a, a, a FROM x", "DROP INDEX IF EXISTS x",
        "DROP TRIGGER IF EXISTS x", "ALTER TABLE orders RENAME COLUMN total TO x", "SELECT * FROM generate_series(1, 9)",
        "SELECT * FROM sqlite_dbdata", "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)", "DELETE FROM sqlite_sequence",
    ]  # fmt: skip
    return [*shared(folder), *_wrapped(calls), *more]


def postgres(folder: Path, port: int) -> list[str]:
    calls = [
        "pg_read_file('/etc/passwd')", "pg_read_binary_file('/etc/passwd')", "pg_ls_dir('/')", "pg_stat_file('/etc')",
        "lo_import('/etc/passwd')", "lo_export(1, '/tmp/x')", "lo_create(0)", "lo_from_bytea(0, 'x')", "lo_unlink(1)",
        f"dblink('host=127.0.0.1 port={port}', 'select 1')", f"dblink_connect('host=127.0.0.1 port={port}')",
        "query_to_xml('delete from customers', true, true, '')", "cursor_to_xml('x', 1, true, true, '')",
        "table_to_xml('customers', true, true, '')", "database_to_xml(true, true, '')", "xpath('/x', '<x/>')",
        "set_config('transaction_read_only', 'off', false)", "current_setting('data_directory')", "pg_sleep(30)",
        "pg_sleep_for('30 s')", "pg_advisory_lock(1)", "pg_advisory_xact_lock(1)", "pg_try_advisory_lock(1)",
        "pg_notify('x', 'y')", "pg_logical_emit_message(true, 'x', 'y')", "pg_terminate_backend(1)",
        "pg_cancel_backend(1)", "pg_reload_conf()", "pg_rotate_logfile()", "pg_switch_wal()", "pg_create_restore_point('x')",
        "nextval('s')", "setval('s', 9)", "currval('s')", "lastval()", "txid_current()", "pg_export_snapshot()",
        "version()", "inet_server_addr()", "pg_backend_pid()", "current_user", "session_user", "getpgusername()",
        "pg_catalog.pg_read_file('/etc/passwd')", "\"pg_read_file\"('/etc/passwd')", "evil()", "public.evil()",
        "to_regclass('pg_authid')", "has_table_privilege('customers', 'insert')", "pg_relation_filepath('customers')",
        "pg_get_functiondef(1)", "convert_from(pg_read_binary_file('/etc/passwd'), 'UTF8')", "gen_random_uuid()",
    ]  # fmt: skip
    more = [
        "COPY customers TO '/tmp/x'", "COPY customers TO PROGRAM 'id'", "COPY (SELECT 1) TO STDOUT",
        "COPY customers FROM '/etc/passwd'", "DO $$ BEGIN DELETE FROM customers; END $$", "CALL evil()",
        "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow", "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM pg_stat_activity", "SELECT * FROM pg_largeobject", "SELECT * FROM pg_file_settings",
        "SET transaction_read_only = off", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET TRANSACTION READ WRITE", "SET statement_timeout = 0", "RESET ALL", "SET ROLE admin",
        "SET SESSION AUTHORIZATION admin", "BEGIN READ WRITE", "COMMIT; DELETE FROM customers",
        "ROLLBACK; BEGIN; DELETE FROM customers; COMMIT", "PREPARE x AS DELETE FROM customers", "EXECUTE x",
        "DECLARE c CURSOR FOR SELECT 1", "FETCH ALL FROM c", "LISTEN x", "NOTIFY x", "UNLISTEN *", "CHECKPOINT",
        "CLUSTER customers", "REFRESH MATERIALIZED VIEW x", "SECURITY LABEL ON TABLE customers IS 'x'",
        "CREATE FUNCTION evil2() RETURNS int LANGUAGE sql AS 'DELETE FROM customers; SELECT 1'",
        "CREATE EXTENSION dblink", "LOAD 'auto_explain'", "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z",
        "SELECT * INTO evil FROM customers", "SELECT * FROM customers FOR UPDATE", "TABLE customers FOR SHARE",
        "WITH x AS (DELETE FROM customers RETURNING *) SELECT * FROM x", "EXPLAIN ANALYZE DELETE FROM customers",
        "WITH x AS (INSERT INTO orders VALUES (77, 1, 1, '') RETURNING *) SELECT * FROM x", "VACUUM FULL",
        "SELECT 1 \\gexec", "SELECT $$; DELETE FROM customers; --$$; DELETE FROM customers", "SELECT U&'\\0041' UESCAPE '!'",
        "SELECT E'\\x00'", "SELECT * FROM ROWS FROM (pg_ls_dir('/'))", "SELECT * FROM LATERAL pg_ls_dir('/') x",
    ]  # fmt: skip
    return [*shared(folder), *_wrapped(calls), *more]


def mysql(folder: Path, port: int) -> list[str]:
    calls = [
        "load_file('/etc/passwd')", "sleep(30)", "benchmark(1000000000, md5('x'))", "get_lock('x', 30)", "release_lock('x')",
        "is_used_lock('x')", "master_pos_wait('x', 1)", "sys_exec('id')", "sys_eval('id')", "uuid()", "user()",
        "current_user()", "database()", "version()", "connection_id()", "last_insert_id(5)", "@@datadir", "@@version",
        "@a := 1", "@a", "@@global.secure_file_priv", "evil()", "shop.evil()", "`load_file`('/etc/passwd')",
        "json_table('[1]', '$[*]' COLUMNS (a INT PATH '$'))", "extractvalue('<a/>', '/a')", "updatexml('<a/>', '/a', 'x')",
        "nextval(s)", "setval(s, 9)", "lastval(s)", "encode('a', 'b')", "des_encrypt('x')", "found_rows()", "row_count()",
        "/*!50000 load_file('/etc/passwd') */", "/*M! sleep(30) */", "name_const('a', 1)", "wait_for_executed_gtid_set('x')",
    ]  # fmt: skip
    more = [
        f"SELECT * FROM customers INTO OUTFILE '{folder}/out'", f"SELECT 1 INTO DUMPFILE '{folder}/dump'",
        "SELECT 1 INTO @a", "SELECT /*!50000 1 INTO OUTFILE '/tmp/x' */", "SELECT 1 /*! ; DELETE FROM customers */",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE customers", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE customers",
        "HANDLER customers OPEN", "HANDLER customers READ FIRST", "DO SLEEP(30)", "CALL evil()", "XA START 'x'",
        "SELECT * FROM mysql.user", "SELECT * FROM mysql.global_priv", "SELECT * FROM performance_schema.threads",
        "SELECT * FROM sys.session", "SET GLOBAL general_log = 1", "SET SESSION TRANSACTION READ WRITE",
        "SET max_statement_time = 0", "SET @a = 1", "SET ROLE admin", "START TRANSACTION READ WRITE",
        "LOCK TABLES customers WRITE", "UNLOCK TABLES", "FLUSH TABLES", "FLUSH PRIVILEGES", "RESET MASTER", "KILL 1",
        "SHUTDOWN", "INSTALL PLUGIN x SONAME 'y'", "INSTALL SONAME 'x'", "CREATE USER evil", "GRANT ALL ON *.* TO evil",
        "RENAME TABLE customers TO gone", "OPTIMIZE TABLE customers", "REPAIR TABLE customers", "ANALYZE TABLE customers",
        "CHECK TABLE customers", "REPLACE INTO customers VALUES (1, 'x', 'y', 'z')", "DELETE customers FROM customers",
        "SELECT * FROM customers LOCK IN SHARE MODE", "SELECT * FROM customers FOR UPDATE SKIP LOCKED",
        "SELECT SQL_NO_CACHE SLEEP(9)", "SELECT /*+ SET_VAR(max_execution_time=0) */ 1", "SHOW GRANTS", "SHOW VARIABLES",
        "PREPARE x FROM 'DELETE FROM customers'", "EXECUTE IMMEDIATE 'DELETE FROM customers'", "DESCRIBE customers",
        "SELECT * FROM customers PROCEDURE ANALYSE()", "BEGIN NOT ATOMIC DELETE FROM customers; END", "USE mysql",
        "SELECT '\\'; DELETE FROM customers; -- '", "SELECT 1; # x\nDELETE FROM customers", "SELECT 1 -- \n; DROP TABLE orders",
    ]  # fmt: skip
    return [*shared(folder), *_wrapped(calls), *more]


def duckdb(folder: Path, port: int) -> list[str]:
    new, other = folder / "new.db", folder / "other.csv"
    calls = [
        "read_text('/etc/passwd')", "read_csv('/etc/passwd')", "getenv('CANARY')", "current_setting('home_directory')",
        "pg_sleep(30)", "txid_current()", "nextval('s')", "currval('s')", "uuid()", "random()", "setseed(0.5)", "version()",
        "current_database()", "current_schema()", "current_user", "getvariable('x')", "query('DELETE FROM customers')",
        "query_table('customers')", "error('x')", "write_log('x')", "json_execute_serialized_sql('x')", "hash('x')",
        "json_serialize_sql('SELECT 1')", "add_parquet_key('x', 'y')", "read_blob('/etc/passwd')", "which_secret('x', 's3')",
    ]  # fmt: skip
    sources = [
        "read_csv('/etc/passwd')", "read_csv_auto('/etc/passwd')", "read_text('/etc/passwd')", "read_blob('/etc/*')",
        f"read_csv('{other}')", f"'{other}'", f'"{other}"', "'/etc/passwd'", "glob('/etc/*')", "sniff_csv('/etc/passwd')",
        "read_json('/etc/passwd')", "read_ndjson_objects('/etc/passwd')", "read_parquet('/etc/passwd')",
        f"read_csv('http://127.0.0.1:{port}/x')", f"'http://127.0.0.1:{port}/x.parquet'", f"'s3://127.0.0.1:{port}/x'",
        f"postgres_scan('host=127.0.0.1 port={port}', 'public', 'x')", f"sqlite_scan('{new}', 't')", "duckdb_settings()",
        "duckdb_secrets()", "pragma_database_list()", "duckdb_logs()", "duckdb_temporary_files()", "parquet_metadata('/x')",
        "parquet_file_metadata('/x')", "checkpoint()", "query('SELECT 1')", "shellfs('id |')", "'id |'", "st_read('/etc/x')",
        "duckdb_functions()", "pragma_storage_info('customers')", "repeat_row(1, num_rows=9)", "read_duckdb('x')",
    ]  # fmt: skip
    more = [
        f"COPY customers TO '{new}'", f"COPY (SELECT 1) TO '{new}' (FORMAT parquet)", "COPY customers FROM '/etc/passwd'",
        f"EXPORT DATABASE '{folder}/out'", f"IMPORT DATABASE '{folder}'", f"ATTACH '{new}' AS n (READ_WRITE)",
        "INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL shellfs FROM community", "SET enable_external_access=true",
        "SET lock_configuration=false", "RESET memory_limit", "SET threads=64", f"SET log_query_path='{new}'",
        f"SET temp_directory='{folder}'", "CREATE SECRET s (TYPE s3)", "CREATE MACRO m(a) AS a", "DROP VIEW customers",
        "CREATE OR REPLACE VIEW customers AS SELECT 1", "CALL pragma_version()", "PRAGMA enable_profiling",
        f"PRAGMA profiling_output='{new}'", "SUMMARIZE customers", "DESCRIBE customers", "SHOW TABLES", "CHECKPOINT",
        "FORCE CHECKPOINT", "USE memory", "SET VARIABLE x = 1", "PREPARE p AS DELETE FROM customers", "EXECUTE p",
        "FROM customers INSERT INTO orders SELECT *", "PIVOT customers ON name", "DEALLOCATE p", "COMMENT ON TABLE customers IS 'x'",
    ]  # fmt: skip
    return [*shared(folder), *_wrapped(calls), *(f"SELECT * FROM {source}" for source in sources), *more]
