"""The oracle as a subject that goes wrong at its nth operation, in the way that it is told.

`python odd_subject.py WAY N`; as WAY `none` it is the oracle, as `partial` one whose snapshots lack
something. `null`, `refusal` and `slow`
are ways to answer what is no operation. Run as a program of its own.
"""

import json
import os
import signal
import sys
import time

from ipvs_est.oracle_process import Session, answer, handshake


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


def without(value: object, names: set[str]) -> object:
    """The same but for the members of these names, at any depth."""
    if isinstance(value, dict):
        return {name: without(entry, names) for name, entry in value.items() if name not in names}
    if isinstance(value, list):
        return [without(entry, names) for entry in value]
    return value


def go_wrong(way: str, answered: dict[str, object]) -> None:
    match way:
        case "exit":
            print("this is said before the end", file=sys.stderr)
            sys.exit(7)
        case "signal":
            os.kill(os.getpid(), signal.SIGKILL)
        case "silence":
            time.sleep(60)
        case "text":
            print("Segmentation fault?", flush=True)
        case "bytes":
            sys.stdout.buffer.write(b"\xff\xfe\n")
            sys.stdout.flush()
        case "list":
            say([answered])
        case "no-result":
            say({"seq": 1})
        case "half":
            sys.stdout.write('{"result":{"ret"')
            sys.stdout.flush()
            sys.exit(0)
        case "errno":
            say({**answered, "result": {"ret": -5}})
        case _:
            say(answered)


def main(way: str, nth: int) -> None:
    session = Session()
    first = handshake()
    if way == "handshake":
        say({**first, "protocol": 99})
    else:
        say({name: value for name, value in first.items() if name != "gives" or way != "minimal"})
    operations = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        configure = b'"configure"' in line
        if way == "slow" and configure:
            time.sleep(60)
        answered = answer(session, line.rstrip(b"\n"), number)
        if way == "refusal" and configure:
            answered = {"error": {"field": "params.hz", "message": "not this one"}}
        if way == "null" and b'"snapshot"' in line and not configure:
            answered = {"result": None}
        if way == "partial" and "snapshot" in answered:
            answered["snapshot"] = without(answered["snapshot"], {"memory", "chain_len"})
        if way == "partial" and b'"snapshot"' in line and "result" in answered:
            answered["result"] = without(answered["result"], {"memory", "chain_len"})
        operations += b'"op":' in line
        if operations == nth and b'"op":' in line:
            go_wrong(way, answered)
        else:
            say(answered)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
