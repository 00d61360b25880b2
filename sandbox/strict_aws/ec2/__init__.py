"""Handlers of the ec2 operations, one module per family."""

from . import (
    acls,
    addresses,
    endpoints,
    gateways,
    images,
    instances,
    interfaces,
    key_pairs,
    places,
    routes,
    security_groups,
    subnets,
    tags,
    templates,
    volumes,
    vpcs,
)

__all__ = [
    "acls",
    "addresses",
    "endpoints",
    "gateways",
    "images",
    "instances",
    "interfaces",
    "key_pairs",
    "places",
    "routes",
    "security_groups",
    "subnets",
    "tags",
    "templates",
    "volumes",
    "vpcs",
]
