"""Reads a crate with the package `rocrate`, checks what it says, and has `rocrate_validator` compare it with its profiles."""
import json
import os
import shutil
import sys
import tempfile
from urllib.parse import unquote

import rocrate
from rocrate.rocrate import ROCrate
from rocrate_validator import models, services

BIOSCHEMAS = "https://bioschemas.org/"


def read(folder, uuid):
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


def validate(folder):
    """Against every MUST of Workflow Run Crate 0.5 and of what it stands on. Nothing is fetched: the context that the
    crate names is written into a copy, as `rocrate` ships it, with the terms that RO-Crate 1.1 has elsewhere."""
    with open(os.path.join(os.path.dirname(rocrate.__file__), "data", "ro-crate.jsonld"), encoding="utf-8") as file:
        context = json.load(file)["@context"]
    context.update({name: BIOSCHEMAS + name for name in ("ComputationalWorkflow", "FormalParameter", "input", "output")})
    with tempfile.TemporaryDirectory() as temporary:
        copy = os.path.join(temporary, "crate")
        shutil.copytree(folder, copy)
        path = os.path.join(copy, "ro-crate-metadata.json")
        with open(path, encoding="utf-8") as file:
            crate = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(crate, **{"@context": context}), file)
        for profile in ("workflow-run-crate-0.5", "workflow-ro-crate-1.0"):
            result = services.validate(services.ValidationSettings(
                rocrate_uri=copy, profile_identifier=profile, requirement_severity=models.Severity.REQUIRED))
            issues = [(issue.check.identifier, issue.message) for issue in result.get_issues(models.Severity.REQUIRED)]
            assert not issues, issues


read(*sys.argv[1:])
validate(sys.argv[1])
