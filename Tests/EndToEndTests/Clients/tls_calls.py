"""agavepy and tapipy as they come, through TLS: python3 tls_calls.py HOST TOKEN JWT."""

import sys
import time
import warnings

warnings.simplefilter("ignore")

from agavepy.agave import Agave
from tapipy.tapis import Tapis

host, token, jwt = sys.argv[1:4]
agave = Agave(api_server="https://" + host, token=token, verify=False)
made = agave.actors.add(body={"image": "lab/printer", "stateless": False})
assert made["_links"]["self"] == "https://%s/actors/v2/%s" % (host, made.id), made
sent = agave.actors.sendMessage(actorId=made.id, body={"message": "through TLS"})
for _ in range(600):
    found = agave.actors.getExecution(actorId=made.id, executionId=sent.executionId)
    if found.status == "COMPLETE":
        break
    time.sleep(0.05)
logs = agave.actors.getExecutionLogs(actorId=made.id, executionId=sent.executionId).logs
assert "Contents of MSG: through TLS" in logs and "_abaco_api_server=https://" + host in logs, logs
tapis = Tapis(base_url="https://" + host, tenant_id="DEV", access_token=jwt, verify=False)
made = tapis.actors.create_actor(image="lab/printer")
assert made.status == "READY" and made.id in [actor.id for actor in tapis.actors.list_actors()], made
print("both clients, through TLS")
