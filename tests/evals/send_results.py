"""Sends results by the real SDK: a process of its own, since importing the SDK changes it.

Prints the message, whether all was sent, and whether our own Sentry client is still active.
"""

import json
import sys

import sentry_sdk

from evals.opik_experiments import send_results
from tests.evals.test_result_statistics import row

if __name__ == "__main__":
    sentry_sdk.init(dsn=None, release="ours")
    rows = [row("a", "culprit"), row("a", "wrong", repeat=1), row("b", "failed", tokens=0)]
    sent = send_results(rows, dataset="evals-of-a-test", run="run-1")
    release = sentry_sdk.get_client().options["release"]
    sys.stdout.write(
        json.dumps({"message": sent.message, "complete": sent.complete, "release": release})
    )
