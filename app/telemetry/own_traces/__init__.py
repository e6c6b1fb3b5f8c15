"""Traces of OpikAssist's own turns, for whoever runs it. Imported only where it is configured.

Importing any part of the Opik SDK sets up Sentry with an address of its vendor's, in place of a
client of our own, and reads `~/.opik.config`. These variables, set before, keep it from both.
"""

import os

os.environ |= {
    "OPIK_SENTRY_ENABLE": "false",
    "OPIK_ANALYTICS_ENABLE": "false",
    "OPIK_CONFIG_PATH": os.devnull,
}
