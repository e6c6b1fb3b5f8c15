"""Usage: python ask.py TRACE_ID "What caused this error?" """

import json
import os
import sys

import httpx

url = f"{os.environ['OPIK_ASSIST_URL']}/trace-analyzer/session/{sys.argv[1]}"
headers = {
    "Authorization": os.environ.get("OPIK_API_KEY", ""),
    "Comet-Workspace": os.environ.get("OPIK_WORKSPACE", "default"),
}
body = {"message": sys.argv[2]}
with httpx.stream("POST", url, json=body, headers=headers, timeout=60) as response:
    if response.status_code != 200:
        sys.exit(response.read().decode())
    for line in response.iter_lines():
        frame = json.loads(line[6:]) if line.startswith("data: ") else {}
        if "error" in frame:
            sys.exit(frame["error"])
        if frame.get("message_type") == "response" and frame["partial"]:
            print(frame["content"]["parts"][0]["text"], end="", flush=True)
