"""Every operation of tapipy for actors against a running daemon: python3 tapipy_calls.py URL USER PASSWORD.

Ends with 0 and a line that counts what was called, or with the traceback of the first that did not work.
"""

import sys
import time

from tapipy.tapis import Tapis

called = set()


class Counted:
    """Notes the names of the operations."""

    def __init__(self, actors):
        self._actors = actors

    def __getattr__(self, name):
        operation = getattr(self._actors, name)

        def counted(**arguments):
            called.add(name)
            return operation(**arguments)

        return counted


def wait(question, wanted):
    for _ in range(600):
        answer = question()
        if wanted(answer):
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not come so far: %s" % (answer,))


def raw(result):
    return result if isinstance(result, bytes) else getattr(result, "content", result)


def lifecycle(actors):
    made = actors.create_actor(image="lab/printer", name="by-tapipy", stateless=False)
    id = made.id
    assert made.owner == "alice" and made.create_time and made.last_update_time, made
    assert id in [actor.id for actor in actors.list_actors()]
    assert wait(lambda: actors.get_actor(actor_id=id), lambda actor: actor.status == "READY").id == id
    changed = actors.update_actor(actor_id=id, image="lab/printer", description="changed", stateless=False)
    assert changed.description == "changed", changed
    return id


def messages(actors, id):
    sent = actors.send_message(actor_id=id, message="hello", _tapis_query_parameters={"colour": "blue"})
    execution = sent.execution_id
    done = wait(
        lambda: actors.get_execution(actor_id=id, execution_id=execution), lambda found: found.status == "COMPLETE")
    assert done.exit_code == 0 and done.worker_id and done.executor == "alice", done
    logs = actors.get_execution_logs(actor_id=id, execution_id=execution).logs
    assert "Contents of MSG: hello" in logs and "colour=blue" in logs, logs
    assert execution in [found.id for found in actors.list_executions(actor_id=id).executions]
    second = actors.send_json_message(actor_id=id, message={"a": 1}).execution_id
    wait(lambda: actors.get_execution(actor_id=id, execution_id=second), lambda found: found.status == "COMPLETE")
    assert "Contents of MSG: {'a': 1}" in actors.get_execution_logs(actor_id=id, execution_id=second).logs
    assert actors.get_messages(actor_id=id).messages == 0
    assert actors.delete_pending_messages(actor_id=id).msg == "Actor mailbox purged."


def binary(actors):
    id = actors.create_actor(image="lab/answerer").id
    execution = actors.send_binary_message(actor_id=id, message=b"\x00\xff" * 1000).execution_id
    wait(lambda: actors.get_execution(actor_id=id, execution_id=execution), lambda found: found.status == "COMPLETE")
    first = raw(actors.get_execution_result(actor_id=id, execution_id=execution))
    assert first == b"\x00\xff" * 1000, first
    actors.delete_actor(actor_id=id)


def sharing(actors, id):
    nonce = actors.create_nonce(actor_id=id, level="READ", max_uses=2)
    assert nonce.max_uses == 2 and nonce.level == "READ", nonce
    assert nonce.id in [found.id for found in actors.list_nonces(actor_id=id)]
    assert actors.get_nonce(actor_id=id, nonce_id=nonce.id).id == nonce.id
    actors.delete_nonce(actor_id=id, nonce_id=nonce.id)
    actors.update_state(actor_id=id, request_body={"count": 1})
    assert actors.get_state(actor_id=id).state.count == 1
    actors.update_permissions(actor_id=id, user="bob", level="READ")
    assert actors.list_permissions(actor_id=id).bob == "READ"
    actors.manage_worker_pool_size(actor_id=id, num=2)
    assert len(wait(lambda: actors.list_workers(actor_id=id), lambda found: len(found) == 2)) == 2
    alias = actors.create_alias(alias="by-tapipy-alias", actor_id=id)
    assert alias.actor_id == id, alias
    assert "by-tapipy-alias" in [found.alias for found in actors.list_aliases()]
    assert actors.get_alias(alias="by-tapipy-alias").actor_id == id
    other = actors.create_actor(image="lab/printer").id
    assert actors.update_actor_alias(alias="by-tapipy-alias", actor_id=other).actor_id == other
    actors.delete_alias(alias="by-tapipy-alias")
    actors.delete_actor(actor_id=other)
    found = actors.search_database(search_type="actors", image="lab/printer")
    assert id in [item.id for item in found.search], found


def main(url, user, password):
    tapis = Tapis(base_url=url, tenant_id="DEV-DEVELOP", username=user, password=password)
    tapis.get_tokens()
    actors = Counted(tapis.actors)
    id = lifecycle(actors)
    messages(actors, id)
    binary(actors)
    sharing(actors, id)
    actors.delete_actor(actor_id=id)
    print("tapipy: %d operations" % len(called))


main(*sys.argv[1:])
