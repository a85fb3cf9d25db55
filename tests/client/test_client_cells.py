"""What JSON cannot say, in columns of whatever name."""

from __future__ import annotations

from codemode import Client
from tests.client.conftest import Served


def test_a_column_may_have_the_name_of_a_marker(client: Client, served: Served) -> None:
    for name in ("$bytes", "$float"):
        remote = client.session()
        embedded = served.worker.session(remote.id)
        remote.exec(f'CREATE TABLE t ("{name}" PRIMARY KEY)')
        remote.exec("CREATE TABLE u (id INTEGER PRIMARY KEY, a)")
        remote.exec("INSERT INTO u VALUES (1, 'AAAA')")
        remote.exec(f'ALTER TABLE u RENAME a TO "{name}"')
        remote.checkpoint("before")
        remote.exec("INSERT INTO t VALUES ('AAAA'), ('Infinity'), (x'00'), (9e999)")
        remote.exec(f"UPDATE u SET \"{name}\" = x'00'")
        assert remote.describe_table("t")["sample_rows"] == embedded.describe_table("t")["sample_rows"]
        assert remote.diff("before") == embedded.diff("before")
