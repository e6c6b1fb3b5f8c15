"""Where the conversations are kept; all that a migration needs to know."""

from typing import Any, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import StartRefused

DEFAULT_DATABASE = "sqlite:///opik-assist.db"
_MYSQL_DRIVERS = {"asyncmy", "pymysql", "aiomysql", "mysqldb"}


class DatabaseSettings(BaseSettings):
    """What a migration needs: where the tables are."""

    # A variable that is set to nothing counts as unset: compose files cannot leave one out.
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    session_service_uri: str = Field(
        DEFAULT_DATABASE,
        repr=False,
        description="The database of conversations: `mysql://user:password@host/database` or"
        " `sqlite:///path`. Unset: a SQLite file in the working directory.",
    )
    session_service_max_retries: int = Field(
        30, ge=0, description="Attempts to reach a database that is not up yet at start."
    )
    session_service_retry_delay: float = Field(
        1.0, ge=0, description="Seconds between those attempts."
    )
    session_pool_recycle: int = Field(
        1800, ge=-1, description="Seconds after which a database connection is renewed."
    )

    @field_validator("session_service_uri")
    @classmethod
    def _known_database(cls, value: str) -> str:
        database_url(value)
        return value

    @classmethod
    def load(cls) -> Self:
        """The settings of this process; raises StartRefused with one line that names the fault."""
        try:
            return cls()
        except ValidationError as error:
            faults = "; ".join(_fault(item) for item in error.errors(include_input=False))
            raise StartRefused(f"Settings: {faults}") from None


def database_url(uri: str) -> URL:
    """The database's address with the async driver that we use.

    Every `mysql` driver name means asyncmy, every `sqlite` one aiosqlite. Raises ValueError, in
    words that do not hold the password, for anything else.
    """
    try:
        url = make_url(uri)
    except ArgumentError:
        raise ValueError("must be an address such as mysql://user:password@host/name") from None
    backend, _, driver = url.drivername.partition("+")
    if backend in {"mysql", "mariadb"} and (not driver or driver in _MYSQL_DRIVERS):
        if not url.database:
            raise ValueError("must name a database, as in mysql://user:password@host/name")
        return url.set(drivername="mysql+asyncmy").update_query_dict({"charset": "utf8mb4"})
    if backend == "sqlite" and driver in {"", "aiosqlite", "pysqlite"}:
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError("must start with mysql:// or sqlite:///")


def _fault(error: Any) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    if error["type"] == "missing" and len(error["loc"]) == 1:
        return f"{name} is not set"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"
