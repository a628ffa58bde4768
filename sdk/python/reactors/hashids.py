"""Ids of actors and executions: Hashids with the salt that Abaco uses."""

import math
import secrets

SALT = "eJa5wZlEX4eWU"
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890"
_SEPARATORS = "cfhistuCFHISTU"


def _shuffled(letters, salt):
    if not salt:
        return letters
    letters = list(letters)
    place, total = 0, 0
    for index in range(len(letters) - 1, 0, -1):
        code = ord(salt[place])
        total += code
        other = (code + place + total) % index
        letters[index], letters[other] = letters[other], letters[index]
        place = (place + 1) % len(salt)
    return "".join(letters)


def _tables(salt):
    alphabet = "".join(letter for letter in _ALPHABET if letter not in _SEPARATORS)
    separators = _shuffled(_SEPARATORS, salt)
    if len(alphabet) / len(separators) > 3.5:
        missing = math.ceil(len(alphabet) / 3.5) - len(separators)
        if missing > 0:
            separators += alphabet[:missing]
            alphabet = alphabet[missing:]
    alphabet = _shuffled(alphabet, salt)
    count = math.ceil(len(alphabet) / 12)
    return alphabet[count:], separators, alphabet[:count]


def encode(number, salt=SALT):
    """The Hashid of one number that is not negative."""
    alphabet, _, _ = _tables(salt)
    lottery = alphabet[number % 100 % len(alphabet)]
    alphabet = _shuffled(alphabet, (lottery + salt + alphabet)[: len(alphabet)])
    digits = ""
    while True:
        number, digit = divmod(number, len(alphabet))
        digits = alphabet[digit] + digits
        if number == 0:
            return lottery + digits


def decode(text, salt=SALT):
    """The numbers of a Hashid; an empty list when it is none."""
    alphabet, separators, guards = _tables(salt)
    if not text or any(letter not in alphabet + separators + guards for letter in text):
        return []
    parts = "".join(" " if letter in guards else letter for letter in text).split(" ")
    body = parts[1] if len(parts) in (2, 3) else parts[0]
    if not body:
        return []
    lottery, rest = body[0], body[1:]
    numbers = []
    for word in "".join(" " if letter in separators else letter for letter in rest).split(" "):
        alphabet = _shuffled(alphabet, (lottery + salt + alphabet)[: len(alphabet)])
        number = 0
        for letter in word:
            if letter not in alphabet:
                return []
            number = number * len(alphabet) + alphabet.index(letter)
        numbers.append(number)
    return numbers if len(numbers) == 1 and encode(numbers[0], salt) == text else []


def is_hashid(text):
    """Whether a text looks like the id of an actor, an execution or a worker."""
    return isinstance(text, str) and bool(decode(text))


def random_hashid():
    return encode(secrets.randbits(63))
