"""Describe calls: ids, filters, pages, and the errors of AWS for each."""

from __future__ import annotations

import base64
import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..call import Call, digest, item_converter, operation
from ..errors import AwsError
from ..wire import Params, operation_model

View = Callable[[Call, Params, Any], Params | None]
Values = Callable[[Params], Iterable[Any]]


def path(expression: str) -> Values:
    """Values at a path such as `Attachments[].VpcId`."""
    steps = [(s.removesuffix("[]"), s.endswith("[]")) for s in expression.split(".")]

    def walk(node: Any, index: int) -> Iterator[Any]:
        if index == len(steps):
            if node is not None:
                yield node
            return
        if not isinstance(node, dict):
            return
        name, many = steps[index]
        inner = node.get(name)
        if many:
            for element in inner or []:
                yield from walk(element, index + 1)
        elif inner is not None:
            yield from walk(inner, index + 1)

    return lambda node: walk(node, 0)


def text(value: Any) -> str:
    """A value as filters compare it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_WILDCARD = re.compile(r"[*?]")


def matcher(wanted: list[str]) -> Callable[[str], bool]:
    """Whether a value is one of those wanted; `*` and `?` are wildcards."""
    exact = {w for w in wanted if not _WILDCARD.search(w)}
    patterns = [re.compile(fnmatch.translate(w.replace("[", "[[]"))) for w in wanted if _WILDCARD.search(w)]
    return lambda value: value in exact or any(p.match(value) for p in patterns)


def read_filters(params: Params, member: str = "Filters") -> dict[str, list[str]]:
    """Filters by name, with AWS's limits."""
    given = params.get(member) or []
    out: dict[str, list[str]] = {}
    if len(given) > 50:
        raise AwsError("FilterLimitExceeded", "The maximum number of filters is 50.")
    for one in given:
        if "Name" not in one:
            raise AwsError("InvalidParameterValue", "The filter 'null' is invalid")
        values = [str(v) for v in one.get("Values", [])]
        if not values:
            raise AwsError("InvalidParameterValue", f"The filter '{one['Name']}' has no values")
        out[one["Name"]] = out.get(one["Name"], []) + values
    total = sum(len(v) for v in out.values())
    if total > 200:
        raise AwsError(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is 200; {total} were given.",
        )
    return out


def _tag_values(member: str, key: str) -> Values:
    return lambda item: (t["Value"] for t in item.get(member, []) if t["Key"] == key)


def select(
    items: Iterable[Params], filters: dict[str, list[str]], known: dict[str, Values], tags: str = "Tags"
) -> list[Params]:
    """The items that pass all filters; an unknown filter name is an error."""
    tests: list[tuple[Values, Callable[[str], bool]]] = []
    for name, wanted in filters.items():
        test = matcher(wanted)
        if name.startswith("tag:"):
            key = name[4:]
            tests.append((_tag_values(tags, key), test))
        elif name == "tag-key":
            tests.append((path(f"{tags}[].Key"), test))
        elif name == "tag-value":
            tests.append((path(f"{tags}[].Value"), test))
        elif name in known:
            tests.append((known[name], test))
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return [i for i in items if all(any(test(text(v)) for v in values(i)) for values, test in tests)]


@cache
def _smallest_page(operation_name: str) -> int:
    """The model's bound where it has one; five elsewhere."""
    model = operation_model("ec2", operation_name)
    shape = model.input_shape if model is not None else None
    return int(shape.members["MaxResults"].metadata.get("min", 5)) if shape is not None else 5


def page(
    call: Call, items: list[Params], maximum: int | None, default: int | None = None, has_ids: bool = False
) -> tuple[list[Params], str | None]:
    """One page of the items and the token of the next."""
    size = call.params.get("MaxResults")
    token = call.params.get("NextToken")
    if maximum is None:
        return items, None
    if size is not None:
        if has_ids:
            raise AwsError(
                "InvalidParameterCombination",
                "The parameter MaxResults cannot be used with a list of ids in the same call",
            )
        low = _smallest_page(call.operation)
        if not low <= size <= maximum:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value from {low} to {maximum}.",
            )
    question = digest(call.params, ("MaxResults", "NextToken"))[:16]
    start = 0
    if token is not None:
        try:
            held = json.loads(base64.b64decode(token, validate=True))
            start = held["at"] if held["op"] == call.operation and held["q"] == question else -1
        except (ValueError, KeyError, TypeError):
            start = -1
        if start < 0:
            raise AwsError("InvalidParameterValue", f"Invalid value '{token}' for NextToken.")
    size = size or default
    if size is None or start + size >= len(items):
        return items[start:], None
    following = {"op": call.operation, "q": question, "at": start + size}
    return items[start : start + size], base64.b64encode(json.dumps(following).encode()).decode()


def check_ids(ids: list[str], prefix: str, kind: str) -> None:
    """Refuses ids that are no ids."""
    for identifier in ids:
        if not re.fullmatch(prefix + r"-([0-9a-f]{8}|[0-9a-f]{17})", identifier):
            raise AwsError(f"{kind}.Malformed", f'Invalid id: "{identifier}" (expecting "{prefix}-...")')


@dataclass
class Listing:
    """How one Describe call works."""

    name: str  # the operation
    member: str  # the list in its answer
    objects: Callable[[Call], Iterable[Any]]  # moto's objects
    filters: dict[str, Values]
    ids: str | None = None  # the parameter with ids
    id_of: str = ""  # the member with the id
    prefix: str = ""
    kind: str = ""  # the beginning of the error codes, such as InvalidVpcID
    unknown: tuple[str, str] | None = None  # code and text for an unknown id, if not kind.NotFound
    view: View | None = None
    maximum: int | None = 1000
    default: int | None = None
    refuses_ids_with_pages: bool = False
    filter_member: str = "Filters"
    key: Callable[[Any], str] = field(default=lambda o: str(o.id))
    extra: Callable[[Call, list[Params]], list[Params]] | None = None  # items that moto lacks
    tag_member: str = "Tags"

    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        """All items as AWS would show them; `only` limits them to some ids."""
        convert = item_converter("ec2", self.name, self.member)
        out = []
        for thing in list(self.objects(call)):
            if only is not None and self.key(thing) not in only:
                continue
            shown: Params | None = convert(thing)
            if self.view is not None and shown is not None:
                shown = self.view(call, shown, thing)
            if shown is not None:
                out.append(shown)
        return self.extra(call, out) if self.extra is not None else out

    def __call__(self, call: Call) -> Params:
        filters = read_filters(call.params, self.filter_member)
        wanted: list[str] = list(call.params.get(self.ids) or []) if self.ids else []
        if wanted and self.prefix:
            check_ids(wanted, self.prefix, self.kind)
        only = set(wanted) if wanted else None
        items = self.items(call, only)
        if wanted:
            present = {i.get(self.id_of) for i in items}
            absent = [i for i in wanted if i not in present]
            if absent:
                raise self.not_found(absent)
            items = [i for i in items if i.get(self.id_of) in set(wanted)]
        chosen = select(items, filters, self.filters, self.tag_member)
        refused = bool(wanted) and self.refuses_ids_with_pages
        shown, token = page(call, chosen, self.maximum, self.default, refused)
        result: Params = {self.member: shown}
        if token is not None:
            result["NextToken"] = token
        return result

    def not_found(self, absent: list[str]) -> AwsError:
        """The error for ids that do not exist."""
        code, message = self.unknown or (f"{self.kind}.NotFound", "")
        names = ", ".join(absent)
        return AwsError(code, (message or "The ID '{}' does not exist").format(names))


_listings: dict[str, Listing] = {}


def describe(listing: Listing) -> Listing:
    """Registers a listing as the handler of its operation."""
    operation("ec2", listing.name)(listing)
    _listings[listing.name] = listing
    return listing


def one(call: Call, name: str, identifier: str) -> Params:
    """One item as the Describe call would show it."""
    listing = _listings[name]
    found = listing.items(call, {identifier})
    for item in found:
        if item.get(listing.id_of) == identifier:
            return item
    raise listing.not_found([identifier])
