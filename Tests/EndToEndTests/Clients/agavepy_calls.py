"""Every call of agavepy for actors against a running daemon: python3 agavepy_calls.py URL USER PASSWORD.

Ends with 0 and a line that counts what was called, or with the traceback of the first that did not work.
"""

import json
import sys
import time

import requests
from agavepy.agave import Agave, load_resource
from agavepy.clients import clients_create, clients_delete, clients_list
from agavepy.tokens import token_create

import getpass

called = []


def client(url, **credentials):
    """agavepy makes https of everything: its own definitions with http in them, and then the host without its port."""
    resources = json.loads(json.dumps(load_resource(url)).replace("https://", "http://"))
    agave = Agave(api_server=url, resources=resources, **credentials)
    agave.host = "127.0.0.1"
    agave.refresh_aris()
    return agave


class Counted:
    """Notes the names of the calls."""

    def __init__(self, actors):
        self._actors = actors

    def __getattr__(self, name):
        call = getattr(self._actors, name)

        def counted(**arguments):
            called.append(name)
            return call(**arguments)

        return counted


def wait(question, wanted):
    for _ in range(600):
        answer = question()
        if wanted(answer):
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not come so far: %s" % (answer,))


def lifecycle(actors):
    made = actors.add(body={"image": "lab/printer", "name": "by-agavepy", "stateless": False})
    id = made.id
    assert made.name == "by-agavepy" and made.owner == "alice" and made.createTime, made
    assert id in [actor.id for actor in actors.list()]
    wait(lambda: actors.get(actorId=id), lambda actor: actor.status == "READY")
    changed = actors.update(actorId=id, body={"image": "lab/printer", "description": "changed", "stateless": False})
    assert changed.description == "changed" and changed.name == "by-agavepy"
    return id


def messages(actors, id):
    sent = actors.sendMessage(actorId=id, body={"message": {"a": [1, True, None]}}, environment={"colour": "blue"})
    execution = sent.executionId
    assert sent.msg == "{'a': [1, True, None]}", sent
    done = wait(
        lambda: actors.getExecution(actorId=id, executionId=execution), lambda found: found.status == "COMPLETE")
    assert done.exitCode == 0 and done.actorId == id and done.workerId, done
    logs = actors.getExecutionLogs(actorId=id, executionId=execution).logs
    for text in ["Contents of MSG: {'a': [1, True, None]}", "colour=blue", "environment=colour", "_abaco_actor_id=" + id]:
        assert text in logs, logs
    assert execution in [found["id"] for found in actors.listExecutions(actorId=id).executions]
    assert actors.getMessages(actorId=id).messages == 0


def binary(actors):
    id = actors.add(body={"image": "lab/answerer"}).id
    answer = actors.sendBinaryMessage(actorId=id, message=b"\x00\xff" * 1000)
    execution = answer["result"]["executionId"] if isinstance(answer, dict) and "result" in answer else answer.executionId
    wait(lambda: actors.getExecution(actorId=id, executionId=execution), lambda found: found.status == "COMPLETE")
    result = actors.getOneExecutionResult(actorId=id, executionId=execution)
    assert result.content == b"\x00\xff" * 1000, result
    result = actors.getOneExecutionResult(actorId=id, executionId=execution)
    assert result.content == b"\xff\x00" * 1000, result
    assert actors.getOneExecutionResult(actorId=id, executionId=execution).content == b""
    actors.delete(actorId=id)


def nonces(url, actors, id):
    nonce = actors.addNonce(actorId=id, body={"level": "EXECUTE", "maxUses": 3})
    assert nonce.level == "EXECUTE" and nonce.maxUses == 3 and nonce.remainingUses == 3 and nonce.lastUseTime == "None"
    assert nonce.id in [found.id for found in actors.listNonces(actorId=id)]
    assert actors.getNonce(actorId=id, nonceId=nonce.id).id == nonce.id
    guest = client(url, use_nonce=True)
    assert guest.actors.sendMessage(actorId=id, body={"message": "by nonce"}, nonce=nonce.id).executionId
    assert actors.getNonce(actorId=id, nonceId=nonce.id).remainingUses == 2
    actors.deleteNonce(actorId=id, nonceId=nonce.id)
    assert nonce.id not in [found.id for found in actors.listNonces(actorId=id)]


def sharing(actors, id):
    actors.updateState(actorId=id, body={"count": 1})
    assert actors.getState(actorId=id).state["count"] == 1
    actors.updatePermissions(actorId=id, body={"user": "bob", "level": "READ"})
    permissions = actors.getPermissions(actorId=id)
    assert permissions["bob"] == "READ" and permissions["alice"] == "UPDATE", permissions
    actors.addAlias(body={"alias": "by-alias", "actorId": id})
    assert "by-alias" in [found.alias for found in actors.listAliases()]
    assert actors.getAlias(alias="by-alias").actorId == id
    assert actors.get(actorId="by-alias").id == id
    actors.deleteAlias(alias="by-alias")
    actors.addWorker(actorId=id, body={"num": 2})
    workers = wait(lambda: actors.listWorkers(actorId=id), lambda found: len(found) == 2)
    worker = workers[1]["id"]
    assert actors.getWorker(actorId=id, workerId=worker)["id"] == worker
    actors.deleteWorker(actorId=id, workerId=worker)
    wait(lambda: actors.listWorkers(actorId=id), lambda found: len(found) == 1)


def login(url, user, password):
    """The calls that `tapis auth` makes: an OAuth client, a token with it, the client gone again."""
    getpass.getpass = lambda prompt="": password
    key, secret = clients_create(user, "a-client", "for a test", url)
    assert key and secret
    clients_list(user, url)
    token = token_create(user, key, secret, url)
    assert token["access_token"] and token["refresh_token"], token
    answer = requests.post(
        url + "/token", auth=(key, secret),
        data={"grant_type": "refresh_token", "refresh_token": token["refresh_token"], "scope": "PRODUCTION"})
    assert answer.ok and answer.json()["access_token"], answer.text
    clients_delete(url, user, "a-client")
    called.extend(["clients_create", "clients_list", "token_create", "token_refresh", "clients_delete"])
    return token["access_token"]


def main(url, user, password):
    actors = Counted(client(url, token=login(url, user, password)).actors)
    id = lifecycle(actors)
    messages(actors, id)
    binary(actors)
    nonces(url, actors, id)
    sharing(actors, id)
    # deleteMessages of agavepy 0.9.5 reads a key that it was never given, whatever the answer is.
    try:
        actors.deleteMessages(actorId=id)
    except KeyError:
        pass
    actors.delete(actorId=id)
    assert id not in [actor.id for actor in actors.list()]
    print("agavepy: %d kinds of calls" % len(set(called)))


main(*sys.argv[1:])
