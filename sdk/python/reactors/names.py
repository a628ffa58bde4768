"""Names for people: two short words, `solid-snake`."""

import hashlib
import os

_QUALITIES = (
    "able amber apt bold brave bright brisk calm civil clever cosmic crisp daring deep eager early fair fast fine firm "
    "fond free fresh gentle glad golden grand happy hardy honest humble keen kind lively loyal lucid mellow merry "
    "modest neat nimble noble open patient plain proud quick quiet rapid ready robust sharp silent simple solid steady "
    "sunny swift tidy true vivid warm whole wise"
).split()
_ANIMALS = (
    "adder alpaca ant badger bat beaver bee bison boar camel cat cobra condor coyote crab crane crow deer dingo dove "
    "eagle egret elk falcon ferret finch fox frog gecko goat goose hare hawk heron horse ibex jackal koala lark lemur "
    "lion llama lynx magpie marten mole moose newt ocelot otter owl panda puffin quail rabbit raven robin seal shrew "
    "snake stork tapir wolf yak"
).split()


def pet_name(seed=None):
    """The same words for the same seed, any words without one."""
    digest = os.urandom(2) if seed is None else hashlib.sha256(seed.encode("utf-8")).digest()
    return "{}-{}".format(_QUALITIES[digest[0] % len(_QUALITIES)], _ANIMALS[digest[1] % len(_ANIMALS)])
