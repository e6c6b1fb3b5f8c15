"""Every setting of the service, read once from the environment (and `.env`).

Imported by the entry points and the migrations only: they hand each object its own few values.
A field's description is what the README's table says of it.
"""

from app.settings.backend import BackendSettings
from app.settings.database import DEFAULT_DATABASE, DatabaseSettings, database_url
from app.settings.limits import LimitSettings
from app.settings.model import ModelPrice, ModelSettings
from app.settings.reporting import ReportingSettings
from app.settings.service import ServiceSettings

__all__ = ["DEFAULT_DATABASE", "DatabaseSettings", "ModelPrice", "Settings", "database_url"]


# Fields are listed from the last class to the first.
class Settings(
    ReportingSettings,
    LimitSettings,
    ModelSettings,
    ServiceSettings,
    BackendSettings,
    DatabaseSettings,
):
    """All settings of the service."""
