"""Exits with 0 when the service in this container answers; its settings say where it listens."""

import os
import sys
import urllib.request

SECONDS = 5


def main() -> None:
    port = os.environ.get("PORT") or "8081"
    prefix = os.environ.get("URL_PREFIX", "").strip().rstrip("/")
    # A proxy for the world outside is not for us.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://127.0.0.1:{port}{prefix}/healthz", timeout=SECONDS).close()
    except OSError as error:
        sys.exit(f"not healthy: {error}")


if __name__ == "__main__":
    main()
