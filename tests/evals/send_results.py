"""Sends results by the real SDK: a process of its own, since importing the SDK changes it.

Prints what was told, whether all was sent, and whether our own Sentry client is still in its place.
"""

import json
import sys

import sentry_sdk

from evals.opik_experiments import send
from tests.evals.test_result_statistics import row

if __name__ == "__main__":
    sentry_sdk.init(dsn=None, release="ours")
    rows = [row("a", "culprit"), row("a", "wrong", repeat=1), row("b", "failed", tokens=0)]
    sent = send(rows, dataset="evals-of-a-test", run="run-1")
    release = sentry_sdk.get_client().options["release"]
    sys.stdout.write(json.dumps({"said": sent.words, "whole": sent.whole, "release": release}))
