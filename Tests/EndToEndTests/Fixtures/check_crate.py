"""Reads a crate with the package `rocrate` and checks what it says; exit status 77: the package is not there."""
import os
import sys
from urllib.parse import unquote

try:
    from rocrate.rocrate import ROCrate
except ImportError:
    sys.exit(77)

folder, uuid = sys.argv[1:]
crate = ROCrate(folder)
workflow = crate.mainEntity
assert workflow.id == "pipeline.json", workflow.id
assert "ComputationalWorkflow" in workflow.type, workflow.type
profiles = {entity.id for entity in crate.root_dataset["conformsTo"]}
assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles, profiles
actions = [entity for entity in crate.get_entities() if entity.type == "CreateAction"]
assert [action.id for action in actions] == [f"#run-{uuid}"], actions
action = actions[0]
assert action["instrument"] is workflow
assert action["actionStatus"] == "http://schema.org/CompletedActionStatus", action["actionStatus"]
assert action["startTime"] <= action["endTime"]
results = action["result"]
assert len(results) == 4, results
for entity in results:
    path = os.path.join(folder, *[unquote(part) for part in entity.id.split("/")])
    assert os.path.getsize(path) == int(entity["contentSize"]), path
assert {entity["name"] for entity in action["object"]} == {"alpha", "sample", "nested"}
