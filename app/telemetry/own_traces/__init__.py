"""Traces of OpikAssist's own turns, for its operator. Imported only where it is configured.

Importing any part of the Opik SDK starts Sentry with the vendor's DSN, in place of our own client,
and reads `~/.opik.config`. These variables, set before, prevent both.
"""

import os

os.environ |= {
    "OPIK_SENTRY_ENABLE": "false",
    "OPIK_ANALYTICS_ENABLE": "false",
    "OPIK_CONFIG_PATH": os.devnull,
}
