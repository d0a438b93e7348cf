"""Ordinary analysis of the pocket shop gives what an unrestricted SQLite gives, cell by cell."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crowquill.tools.search.pocket import write_shop
from crowquill.tools.sql.sqlite import query

QUERIES = [
    "SELECT * FROM customers ORDER BY id",
    "SELECT DISTINCT country FROM customers ORDER BY country COLLATE NOCASE",
    "SELECT country, count(*) AS n FROM customers GROUP BY country HAVING n > 1 ORDER BY n DESC, country",
    "SELECT name FROM customers WHERE name LIKE '%ö%' OR name LIKE 'Þ%' ORDER BY name",
    "SELECT name FROM products WHERE name GLOB '*pen*' AND price_eur BETWEEN 1 AND 50 ORDER BY price_eur, name",
    "SELECT min(price_eur), max(price_eur), avg(price_eur), sum(price_eur), total(price_eur) FROM products",
    "SELECT category, round(avg(price_eur), 2) AS mean FROM products GROUP BY 1 ORDER BY 2 DESC",
    "SELECT strftime('%Y-%m', ordered_on) AS month, count(*) FROM orders GROUP BY month ORDER BY month",
    "SELECT date(max(ordered_on), '-30 days', 'start of month') FROM orders",
    "SELECT CAST(julianday(max(ordered_on)) - julianday(min(ordered_on)) AS INTEGER) FROM orders",
    "SELECT unixepoch('2025-01-01'), datetime(0, 'unixepoch'), time('12:30:45'), strftime('%w', '2025-01-01')",
    "SELECT c.name, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id"
    " ORDER BY 1",
    "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
    "SELECT name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    "SELECT name FROM customers EXCEPT SELECT name FROM customers WHERE country = 'Germany' ORDER BY 1",
    "SELECT city FROM customers INTERSECT SELECT 'Vienna'",
    "SELECT city FROM customers WHERE id < 5 UNION ALL SELECT country FROM customers WHERE id < 5 ORDER BY 1",
    "VALUES (1, 'one'), (2, 'two')",
    "SELECT * FROM order_totals ORDER BY total_eur DESC, order_id LIMIT 5 OFFSET 2",
    "SELECT p.name, sum(i.quantity * i.unit_price_eur) AS revenue FROM order_items i JOIN products p"
    " ON p.id = i.product_id JOIN orders o ON o.id = i.order_id WHERE o.ordered_on >= '2025-01-01'"
    " GROUP BY p.id ORDER BY revenue DESC, p.name LIMIT 3",
    "WITH yearly AS (SELECT customer_id, substr(ordered_on, 1, 4) AS year, sum(total_eur) AS spent FROM"
    " order_totals"
    " GROUP BY 1, 2) SELECT year, round(avg(spent), 2), count(*) FROM yearly GROUP BY year ORDER BY year",
    "WITH RECURSIVE days(day) AS (SELECT '2025-01-01' UNION ALL SELECT date(day, '+1 day') FROM days"
    " WHERE day < '2025-01-31') SELECT day, (SELECT count(*) FROM orders WHERE ordered_on = day) FROM days",
    "SELECT name, price_eur, rank() OVER (PARTITION BY category ORDER BY price_eur DESC) FROM products ORDER BY id",
    "SELECT id, row_number() OVER w, dense_rank() OVER w, ntile(4) OVER w, percent_rank() OVER w,"
    " cume_dist() OVER w"
    " FROM products WINDOW w AS (ORDER BY price_eur, id) ORDER BY id",
    "SELECT ordered_on, sum(total_eur) OVER (ORDER BY ordered_on, order_id ROWS BETWEEN 2 PRECEDING AND"
    " CURRENT ROW)"
    " FROM order_totals ORDER BY ordered_on, order_id LIMIT 20",
    "SELECT id, lag(ordered_on) OVER (PARTITION BY customer_id ORDER BY ordered_on, id), lead(id, 1, -1) OVER"
    " (ORDER BY id), first_value(id) OVER (ORDER BY id), last_value(id) OVER (ORDER BY id), nth_value(id, 2) OVER"
    " (ORDER BY id) FROM orders ORDER BY id LIMIT 25",
    "SELECT count(*) FILTER (WHERE ordered_on LIKE '2025%'), count(*) FILTER (WHERE ordered_on LIKE '2026%')"
    " FROM orders",
    "SELECT CASE WHEN price_eur < 5 THEN 'cheap' WHEN price_eur < 30 THEN 'middle' ELSE 'dear' END AS"
    " class, count(*)"
    " FROM products GROUP BY class ORDER BY class",
    "SELECT group_concat(name, ' | ') FROM (SELECT name FROM products ORDER BY name)",
    "SELECT coalesce(NULL, 'x'), ifnull(NULL, 1), nullif(1, 1), iif(1 < 2, 'a', 'b'), typeof(1.5), typeof(NULL)",
    "SELECT upper(name), lower(name), length(name), substr(name, 2, 3), instr(name, ' '), replace(name, ' ', '_'),"
    " trim('  x '), ltrim(' x'), rtrim('x ') FROM customers ORDER BY id LIMIT 5",
    "SELECT abs(-5), round(2.567, 1), sign(-3), ceil(1.2), floor(-1.2), mod(7, 3), sqrt(16), pow(2, 10),"
    " ln(1), pi()",
    "SELECT 7 / 2, 7 % 2, 7 / 2.0, 1 << 4, 6 & 3, 6 | 1, ~1, 'a' || 'b', 1 = 1, NULL IS NULL, 1 IS NOT 2",
    "SELECT json_extract('{\"a\": {\"b\": [1, 2]}}', '$.a.b[1]'), '{\"a\": 7}' -> 'a', '{\"a\": \"x\"}' ->> '$.a'",
    "SELECT json_array_length('[1, 2]'), json_type('{}'), json_valid('{'), json_object('a', 1),"
    " json_array(1, NULL)",
    "SELECT key, value, type FROM json_each('{\"a\": 1, \"b\": [2]}')",
    "SELECT fullkey, atom FROM json_tree('{\"a\": [1, {\"b\": null}]}')",
    "SELECT json_group_array(name), json_group_object(id, name) FROM (SELECT * FROM products ORDER BY id LIMIT 3)",
    "SELECT printf('%.2f %05d %s', 1.005, 42, 'x'), format('%,d', 1234567), hex('ab'), quote('it''s'),"
    " unicode('ß')",
    "SELECT \"name\", [city], `country` FROM \"customers\" ORDER BY \"id\" LIMIT 3",
    "SELECT name AS \"the name\", price_eur AS \"Preis (€)\" FROM products ORDER BY \"Preis (€)\", \"the"
    " name\" LIMIT 3",
    "SELECT a.city, b.name FROM customers a CROSS JOIN products b WHERE a.id = 1 AND b.id < 3 ORDER BY b.id",
    "SELECT a.name, b.name AS other FROM customers a JOIN customers b ON a.city = b.city AND a.id < b.id"
    " ORDER BY 1, 2",
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
    "SELECT max(name), min(joined_on), count(DISTINCT country) FROM customers",
    "SELECT 'Ł' < 'M', 'Zsófia Horváth' IN (SELECT name FROM customers), '’' || char(8364)",
    "SELECT * FROM (SELECT id, name FROM customers ORDER BY name DESC LIMIT 3) ORDER BY id",
    "SELECT name FROM customers ORDER BY country DESC NULLS LAST, name ASC LIMIT 4",
    "SELECT (SELECT count(*) FROM orders) * 1.0 / (SELECT count(*) FROM customers)",
    "SELECT id FROM orders WHERE (customer_id, ordered_on) IN (SELECT customer_id, max(ordered_on) FROM orders"
    " GROUP BY customer_id) ORDER BY id",
    "/* the best */ SELECT name -- of all\nFROM products ORDER BY price_eur DESC, id LIMIT 1",
]  # fmt: skip


@pytest.fixture(scope="module")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pocket") / "shop.sqlite"
    write_shop(path)
    return path


@pytest.mark.parametrize("sql", QUERIES, ids=range(len(QUERIES)))
def test_the_cells_are_those_of_an_unrestricted_run(pocket: Path, sql: str) -> None:
    with closing(sqlite3.connect(pocket)) as connection:
        cursor = connection.execute(sql)
        rows = [list(row) for row in cursor]
        columns = [column[0] for column in cursor.description]
    assert rows, "nothing to compare"
    expected = {"columns": columns, "rows": rows, "truncated": False}
    found = query({"path": str(pocket), "sql": sql, "seconds": 5})
    assert isinstance(found, dict)
    assert {**found, **expected} == found
