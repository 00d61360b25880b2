"""Loads every module with handlers."""

from __future__ import annotations

import importlib

_MODULES = (
    "ec2",
    "iam",
    "route53",
    "ssm",
    "acm",
    "sts",
    "autoscaling",
    "autoscaling_children",
    "autoscaling_refreshes",
    "cloudwatch",
    "elbv2",
    "rds",
    "rds_groups",
    "elasticache",
    "sns",
    "ecr",
    "tagging",
)


def load() -> None:
    """Imports the handlers of all services; each registers itself."""
    for name in _MODULES:
        importlib.import_module(f"{__package__}.{name}")
