"""The schema: up, down, beside foreign tables, cut off, across versions."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, delete, func, inspect, select, table, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import migrations
from app.db.engine import create_engine
from app.db.quotas import Quotas
from app.db.schema import OLDEST_CODE, VERSION_TABLE, events, facts, metadata, turns
from app.db.store import Store
from app.errors import StartRefused
from app.events import TurnFinished
from app.messages import TokenUsage
from app.settings import database_url
from testkit import databases
from tests.db.writing import ALICE, TRACE, begin_free_turn, entry, finish_turn, reply

ROOT = Path(__file__).parents[2]
VERSIONS = table(VERSION_TABLE, column("version_num"))
COLUMNS = table(
    "columns",
    column("table_schema"),
    column("table_name"),
    column("collation_name"),
    schema="information_schema",
)
HEAD = ScriptDirectory(str(ROOT / "migrations")).get_current_head()

# The tables that may already live in the database: those of the assistant before this one, and
# those of Opik itself. What they hold does not matter here, only their names do.
FOREIGN = [
    "CREATE TABLE sessions (app_name VARCHAR(128), id VARCHAR(128), PRIMARY KEY (app_name, id))",
    "CREATE TABLE events (id VARCHAR(128) PRIMARY KEY, app_name VARCHAR(128), session_id"
    " VARCHAR(128), FOREIGN KEY (app_name, session_id) REFERENCES sessions (app_name, id))",
    "CREATE TABLE app_states (app_name VARCHAR(128) PRIMARY KEY)",
    "CREATE TABLE user_states (user_id VARCHAR(128) PRIMARY KEY)",
    "CREATE TABLE adk_internal_metadata (name VARCHAR(128) PRIMARY KEY)",
    "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
    "CREATE TABLE DATABASECHANGELOG (id VARCHAR(255) PRIMARY KEY)",
]


async def _prepare(engine: AsyncEngine, *, migrate: bool = True) -> None:
    await migrations.prepare_schema(engine, migrate=migrate, attempts=1, delay=0)


async def _alembic(engine: AsyncEngine, run: Callable[[Config], object]) -> None:
    def on(connection: Connection) -> None:
        config = Config(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        run(config)

    async with migrations.lock_schema(engine, attempts=1, delay=0) as connection:
        await connection.run_sync(on)


async def _tables(engine: AsyncEngine) -> set[str]:
    async with engine.begin() as db:
        return set(await db.run_sync(lambda sync: inspect(sync).get_table_names()))


async def _set_revision(engine: AsyncEngine, revision: str, *, oldest_code: str) -> None:
    async with engine.begin() as db:
        await db.execute(VERSIONS.update().values(version_num=revision))
        await db.execute(update(facts).where(facts.c.name == OLDEST_CODE).values(value=oldest_code))


def test_there_is_one_head_and_each_revision_names_its_oldest_code() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    known = {revision.revision for revision in script.walk_revisions()}

    assert len(script.get_heads()) == 1
    assert set(migrations.list_revisions()) == known
    assert migrations.list_revisions()[-1] == HEAD
    assert {revision.module.OLDEST_CODE for revision in script.walk_revisions()} <= known


async def test_up_check_down_and_up_again_beside_foreign_tables(empty_database_uri: str) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        async with engine.begin() as db:
            for statement in FOREIGN:
                await db.execute(text(statement))
        foreign = await _tables(engine)

        await _alembic(engine, lambda config: command.upgrade(config, "head"))
        ours = set(metadata.tables) | {VERSION_TABLE}
        assert await _tables(engine) == foreign | ours
        await _alembic(engine, command.check)
        await _alembic(engine, lambda config: command.downgrade(config, "base"))
        assert await _tables(engine) == foreign | {VERSION_TABLE}
        await _alembic(engine, lambda config: command.upgrade(config, "head"))
        await _alembic(engine, command.check)
        await begin_free_turn(Store(engine))


async def test_the_check_sees_a_table_that_differs(empty_database_uri: str) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        await _prepare(engine)
        async with engine.begin() as db:
            await db.execute(text(f"ALTER TABLE {events.name} ADD COLUMN surplus INTEGER"))

        with pytest.raises(Exception, match="surplus"):
            await _alembic(engine, command.check)


async def test_names_in_mysql_tables_are_compared_byte_by_byte(empty_mysql_uri: str) -> None:
    async with databases.open_engine(empty_mysql_uri) as engine:
        await _prepare(engine)
        async with engine.begin() as db:
            collations = await db.scalars(
                select(COLUMNS.c.collation_name)
                .distinct()
                .where(
                    COLUMNS.c.table_schema == func.database(),
                    COLUMNS.c.table_name != VERSION_TABLE,
                    COLUMNS.c.collation_name.is_not(None),
                )
            )
            assert set(collations) == {"utf8mb4_bin", "ascii_bin"}


async def test_an_upgrade_that_was_cut_off_is_completed_by_the_next(
    empty_database_uri: str,
) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        await _prepare(engine)
        key = await Store(engine).owner_key()
        async with engine.begin() as db:
            await db.execute(VERSIONS.delete())
            await db.execute(text(f"DROP TABLE {events.name}"))

        await _prepare(engine)

        assert await Store(engine).owner_key() == key
        await begin_free_turn(Store(engine))


async def test_upgrade_and_downgrade_keep_all_events(empty_database_uri: str) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        await _alembic(engine, lambda config: command.upgrade(config, "head"))
        store = Store(engine)
        key = await store.owner_key()
        turn = await begin_free_turn(store)
        await store.append(turn, [reply("so far")])
        before = await store.events(turn.conversation_id)
        await store.rename_conversation(ALICE, TRACE, turn.conversation_id, title="Mine")

        for way in (
            lambda config: command.downgrade(config, "0001"),
            lambda config: command.upgrade(config, "head"),
        ):
            await _alembic(engine, way)
            assert await store.events(turn.conversation_id) == before
            assert await store.owner_key() == key
        assert [each.title for each in await store.list_conversations(ALICE, TRACE)] == ["Mine"]
        await finish_turn(store, turn)
        await begin_free_turn(store, quotas=Quotas(owner_turns=1, owner_turns_per_minute=1))


async def test_a_downgrade_keeps_counts_as_far_as_the_smaller_columns_hold_them(
    empty_database_uri: str,
) -> None:
    usage = TokenUsage(prompt_tokens=10**12, completion_tokens=7)
    async with databases.open_engine(empty_database_uri) as engine:
        await _prepare(engine)
        store = Store(engine)
        turn = await begin_free_turn(store)
        await store.end_turn(turn, [entry(TurnFinished())], usage=usage)

        for way in (
            lambda config: command.downgrade(config, "0002"),
            lambda config: command.upgrade(config, "head"),
        ):
            await _alembic(engine, way)
            async with engine.begin() as db:
                counts = await db.execute(select(turns.c.prompt_tokens, turns.c.completion_tokens))
            assert counts.all() == [(2**31 - 1, 7)]


async def test_each_database_has_an_owner_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one.db", "two.db"):
        async with databases.open_engine(f"sqlite:///{tmp_path / name}") as engine:
            await _prepare(engine)
            keys.add(await Store(engine).owner_key())
    assert len(keys) == 2


async def test_a_schema_that_is_up_to_date_is_left_alone(database_uri: str) -> None:
    async with databases.open_engine(database_uri) as engine:
        turn = await begin_free_turn(Store(engine))
        for migrate in (True, False):
            await _prepare(engine, migrate=migrate)
        assert len(await Store(engine).events(turn.conversation_id)) == 1


async def test_an_older_schema_is_refused_where_the_service_must_not_migrate(
    empty_database_uri: str,
) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        with pytest.raises(StartRefused, match="alembic upgrade head"):
            await _prepare(engine, migrate=False)
        assert not await _tables(engine) & set(metadata.tables)


async def test_a_newer_schema_that_admits_this_code_is_used_and_logged(
    empty_database_uri: str,
) -> None:
    assert HEAD is not None
    async with databases.open_engine(empty_database_uri) as engine:
        await _prepare(engine)
        await _set_revision(engine, "9999", oldest_code=HEAD)

        with structlog.testing.capture_logs() as logs:
            await _prepare(engine)

        assert [(log["event"], log["revision"]) for log in logs] == [("schema_newer", "9999")]
        await begin_free_turn(Store(engine))


async def test_a_newer_schema_that_does_not_admit_this_code_is_refused(
    empty_database_uri: str,
) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        await _prepare(engine)
        await _set_revision(engine, "9999", oldest_code="9998")
        with pytest.raises(StartRefused, match="newer"):
            await _prepare(engine)

        async with engine.begin() as db:
            await db.execute(delete(facts))
        with pytest.raises(StartRefused, match="newer"):
            await _prepare(engine)


async def test_the_lock_is_released_and_the_next_process_need_not_wait(
    empty_database_uri: str,
) -> None:
    async with databases.open_engine(empty_database_uri) as engine:
        with pytest.raises(StartRefused):
            await _prepare(engine, migrate=False)
        await _prepare(engine)
        async with databases.open_engine(empty_database_uri) as second:
            await _prepare(second)


class CopiedMigrations:
    """A copy of our migrations, which runs on a database of its own."""

    def __init__(self, folder: Path, versions: str) -> None:
        self.folder = folder / "migrations"
        (self.folder / "versions").mkdir(parents=True)
        for path in (ROOT / "migrations").glob("*.*"):
            shutil.copy(path, self.folder)
        for path in (ROOT / "migrations/versions").glob(versions):
            shutil.copy(path, self.folder / "versions")
        url = database_url(f"sqlite:///{folder / 'x.db'}")
        self.engine = create_engine(url, pool_recycle=-1)

    async def run(self, work: Callable[[Config], object]) -> str | None:
        """Runs a command of alembic; the oldest code that may run afterwards."""

        def on(connection: Connection) -> str | None:
            config = Config(str(ROOT / "alembic.ini"))
            config.set_main_option("script_location", str(self.folder))
            config.attributes["connection"] = connection
            work(config)
            query = select(facts.c.value).where(facts.c.name == OLDEST_CODE)
            return connection.scalar(query)

        async with migrations.lock_schema(self.engine, attempts=1, delay=0) as connection:
            return await connection.run_sync(on)


async def test_a_new_revision_is_made_from_the_template_and_runs(tmp_path: Path) -> None:
    copy = CopiedMigrations(tmp_path, "0001_*.py")
    await copy.run(lambda config: command.upgrade(config, "head"))
    await copy.run(lambda config: command.revision(config, "more", rev_id="0002"))
    assert await copy.run(lambda config: command.upgrade(config, "head")) == "0002"
    assert await copy.run(lambda config: command.downgrade(config, "-1")) == "0001"
    await copy.engine.dispose()


async def test_each_revision_stores_its_oldest_code_on_the_way_up_and_down(tmp_path: Path) -> None:
    copy = CopiedMigrations(tmp_path, "*.py")
    known = migrations.list_revisions()
    for path in copy.folder.glob("versions/*.py"):
        own = path.name[:4]
        before = known[known.index(own) - 1]
        code = re.sub("^OLDEST_CODE = .*", f'OLDEST_CODE = "{own}"', path.read_text(), flags=re.M)
        code = re.sub(
            "^OLDEST_CODE_BEFORE = .*", f'OLDEST_CODE_BEFORE = "{before}"', code, flags=re.M
        )
        path.write_text(code)
    for revision in known:
        assert await copy.run(lambda config: command.upgrade(config, "+1")) == revision
    for revision in reversed(known[:-1]):
        assert await copy.run(lambda config: command.downgrade(config, "-1")) == revision
    await copy.engine.dispose()
