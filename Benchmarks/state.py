"""A state in which a plan was applied, made without a cloud: rows as an apply would have left them.

The tables are those of Sources/StateStorage/StateSchema.swift, read from there.
"""
import json
import pathlib
import re
import sqlite3
import zlib

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "Sources/StateStorage/StateSchema.swift"
SCOPE = ("aws", "000000000000", "us-east-1", "aws")  # provider, account, region, endpoint


def remote_id(address):
    """An id such as the cloud would give: the same for the same address."""
    return f"{address.split('/')[-1]}-{zlib.crc32(address.encode()):08x}"


def resolved(value):
    """A wanted value with every output that it waits for."""
    if isinstance(value, list):
        return [resolved(element) for element in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {"$deferred"}:
        return {key: resolved(element) for key, element in value.items()}
    tree = value["$deferred"]
    if tree[0] == "value":
        return resolved(tree[1])
    if tree[0] == "list":
        return [resolved({"$deferred": node}) if isinstance(node, list) else node for node in tree[1:]]
    if tree[0] == "output":
        return remote_id(tree[1]) if tree[2] == "id" else f"{remote_id(tree[1])}-{tree[2]}"
    raise SystemExit(f"a {tree[0]} is none of the expressions that this understands")


def migrations():
    source = SCHEMA.read_text()
    texts = dict(re.findall(r'private static let (\w+) = """\n(.*?)"""', source, re.S))
    return [(name, texts[text]) for name, text in
            re.findall(r'registerMigration\("([^"]*)"\) \{ try \$0\.execute\(sql: (\w+)\) \}', source)]


def write(path, plan):
    """Writes the state after a plan (as JSON) of new resources alone."""
    identifier = int(re.search(r"applicationID: Int32 = (\w+)", SCHEMA.read_text()).group(1).replace("_", ""), 16)
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA application_id = {identifier}")
    database.execute("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    for name, text in migrations():
        database.executescript(text)
        database.execute("INSERT INTO grdb_migrations VALUES (?)", (name,))
    database.execute("INSERT INTO meta VALUES (1, ?, ?, 0)", ("0" * 32, plan["workspace"]))
    for number, step in enumerate(plan["steps"], 1):
        if step["operation"] != "create":
            raise SystemExit("only a plan of new resources says what there is afterwards")
        address = step["address"]
        stack, rest = address.split(":", 1)
        identity = remote_id(address)
        database.execute(
            "INSERT INTO resources (id, address, stack, type, remote_id, provider, account, region, endpoint, arguments,"
            " outputs, digests, protected, version, generation, incomplete) VALUES (?,?,?,?,?,?,?,?,?,?,?,'{}',0,1,1,0)",
            (number, address, stack, rest.split("/")[0], identity, *SCOPE, json.dumps(resolved(step.get("desired", {}))),
             json.dumps({"id": identity})))
        database.execute("INSERT INTO address_versions VALUES (?, ?, 1)", (address, stack))
        database.executemany(
            "INSERT INTO edges VALUES (?, ?)", [(number, one) for one in step.get("dependencies", [])])
    database.commit()
    database.close()
