"""Launch templates and their versions."""

from __future__ import annotations

import re
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion

from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import check_ids, page, path, read_filters, select

PAGE = 200


def _get_version(self: Any, number: Any) -> Any:
    """Versions by number: moto counts positions, which is wrong once one is deleted."""
    text = str(number)
    if text.lower() in ("$latest", ""):
        return self.versions[-1]
    if text.lower() == "$default":
        text = str(self.default_version_number)
    for version in self.versions:
        if str(version.number) == text:
            return version
    raise AwsError(
        "InvalidLaunchTemplateId.VersionNotFound",
        f"Could not find the specified version {number} for the launch template with ID {self.id}.",
    )


def _create_version(self: Any, data: Params, description: str) -> Any:
    number = max((v.number for v in self.versions), default=getattr(self, "last_number", 0)) + 1
    self.last_number = max(number, getattr(self, "last_number", 0) + 1)
    version = LaunchTemplateVersion(self, self.last_number, data, description)
    self.versions.append(version)
    return version


LaunchTemplate.get_version = _get_version  # type: ignore[method-assign,assignment]
LaunchTemplate.create_version = _create_version  # type: ignore[method-assign]
LaunchTemplate.default_version = lambda self: _get_version(self, self.default_version_number)  # type: ignore[method-assign]


def get(call: Call, template_id: str | None = None, name: str | None = None) -> Any:
    """moto's template, by id or name."""
    if (template_id is None) == (name is None):
        code = "InvalidParameterCombination" if name is not None else "MissingParameter"
        raise AwsError(code, "The request must contain exactly one of launchTemplateId and launchTemplateName")
    if template_id is not None:
        check_ids([template_id], "lt", "InvalidLaunchTemplateId")
        template = call.ec2.launch_templates.get(template_id)
        if template is None:
            raise AwsError(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {template_id}, does not exist.",
            )
        return template
    held = call.ec2.launch_template_name_to_ids.get(name)
    if held is None:
        raise AwsError(
            "InvalidLaunchTemplateName.NotFoundException",
            f"The specified launch template, with template name {name}, does not exist.",
        )
    return call.ec2.launch_templates[held]


def version_of(call: Call, given: Params) -> tuple[Any, Any]:
    """The template and version that a launch names."""
    template = get(call, given.get("LaunchTemplateId"), given.get("LaunchTemplateName"))
    return template, template.get_version(given.get("Version") or "$Default")


def _creator(call: Call) -> str:
    return f"arn:aws:iam::{call.account}:root"


def _shown(call: Call, template: Any) -> Params:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.create_time,
        "CreatedBy": _creator(call),
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.versions[-1].number,
        "Tags": tagging.listed(call, template.id),
    }


def _shown_version(call: Call, template: Any, version: Any) -> Params:
    data = {k: v for k, v in version.data.items() if v is not None}
    if "UserData" in data:
        data["UserData"] = str(data["UserData"])
    out = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "CreateTime": version.create_time,
        "CreatedBy": _creator(call),
        "DefaultVersion": version.number == template.default_version_number,
        "LaunchTemplateData": data,
    }
    return out | ({"VersionDescription": version.description} if version.description else {})


def _data(call: Call) -> Params:
    data = dict(call.params["LaunchTemplateData"])
    if data.get("UserData"):
        try:
            data["UserData"] = Base64EncodedString(data["UserData"])
        except ValueError as error:
            raise AwsError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from error
    else:
        data.pop("UserData", None)
    return data


_NAME = re.compile(r"[a-zA-Z0-9()./_\-]{3,128}")


@operation("ec2", "CreateLaunchTemplate")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "launch-template")["launch-template"]
        name = call.params["LaunchTemplateName"]
        if not _NAME.fullmatch(name):
            raise AwsError(
                "InvalidLaunchTemplateName.MalformedException",
                f"The launch template name '{name}' is not valid: 3 to 128 letters, digits and ()./_-",
            )
        if name in call.ec2.launch_template_name_to_ids:
            raise AwsError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
        template = call.ec2.create_launch_template(name, call.params.get("VersionDescription", ""), _data(call), {})
        tagging.put(call, template.id, tags)
        return {"LaunchTemplate": _shown(call, template)}

    return once(call, make)


@operation("ec2", "CreateLaunchTemplateVersion")
def create_version(call: Call) -> Params:
    def make() -> Params:
        template = get(call, call.params.get("LaunchTemplateId"), call.params.get("LaunchTemplateName"))
        data = _data(call)
        source = call.params.get("SourceVersion")
        if source is not None:
            data = dict(template.get_version(source).data) | data
        version = template.create_version(data, call.params.get("VersionDescription", ""))
        return {"LaunchTemplateVersion": _shown_version(call, template, version)}

    return once(call, make)


@operation("ec2", "ModifyLaunchTemplate")
def modify(call: Call) -> Params:
    def make() -> Params:
        template = get(call, call.params.get("LaunchTemplateId"), call.params.get("LaunchTemplateName"))
        wanted = call.params.get("DefaultVersion")
        if wanted is not None:
            template.default_version_number = template.get_version(wanted).number
        return {"LaunchTemplate": _shown(call, template)}

    return once(call, make)


@operation("ec2", "DeleteLaunchTemplate")
def delete(call: Call) -> Params:
    template = get(call, call.params.get("LaunchTemplateId"), call.params.get("LaunchTemplateName"))
    shown = _shown(call, template)
    del call.ec2.launch_templates[template.id]
    call.ec2.launch_template_name_to_ids.pop(template.name, None)
    call.ec2.tags.pop(template.id, None)
    return {"LaunchTemplate": shown}


@operation("ec2", "DeleteLaunchTemplateVersions")
def delete_versions(call: Call) -> Params:
    template = get(call, call.params.get("LaunchTemplateId"), call.params.get("LaunchTemplateName"))
    done, failed = [], []
    for wanted in call.params["Versions"]:
        named = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name}
        version = next((v for v in template.versions if str(v.number) == wanted), None)
        named["VersionNumber"] = int(wanted) if wanted.isdigit() else 0
        if version is None:
            error = {"Code": "launchTemplateVersionDoesNotExist", "Message": f"The version {wanted} does not exist."}
            failed.append(named | {"ResponseError": error})
        elif version.number == template.default_version_number:
            error = {"Code": "unexpectedError", "Message": "The default version cannot be deleted."}
            failed.append(named | {"ResponseError": error})
        else:
            template.versions.remove(version)
            done.append(named)
    return {"SuccessfullyDeletedLaunchTemplateVersions": done, "UnsuccessfullyDeletedLaunchTemplateVersions": failed}


@operation("ec2", "DescribeLaunchTemplates")
def describe(call: Call) -> Params:
    filters = read_filters(call.params)
    chosen = list(call.ec2.launch_templates.values())
    ids, names = call.params.get("LaunchTemplateIds"), call.params.get("LaunchTemplateNames")
    if ids:
        chosen = [get(call, template_id=i) for i in ids]
    if names:
        chosen = [get(call, name=n) for n in names]
    items = [_shown(call, t) for t in chosen]
    known = {
        "create-time": path("CreateTime"),
        "launch-template-name": path("LaunchTemplateName"),
        "launch-template-id": path("LaunchTemplateId"),
    }
    part, token = page(call, select(items, filters, known), PAGE, PAGE)
    result: Params = {"LaunchTemplates": part}
    return result | ({"NextToken": token} if token else {})


@operation("ec2", "DescribeLaunchTemplateVersions")
def describe_versions(call: Call) -> Params:
    params = call.params
    wanted = params.get("Versions") or []
    template_id, name = params.get("LaunchTemplateId"), params.get("LaunchTemplateName")
    pairs: dict[tuple[str, int], tuple[Any, Any]] = {}
    if template_id is not None or name is not None:
        template = get(call, template_id, name)
        versions = [template.get_version(v) for v in wanted] if wanted else list(template.versions)
        low, high = params.get("MinVersion"), params.get("MaxVersion")
        for version in versions:
            if (low is None or version.number >= int(low)) and (high is None or version.number <= int(high)):
                pairs[template.id, version.number] = (template, version)
    else:
        if not wanted:
            raise AwsError(
                "MissingParameter",
                "The request must contain a launch template id, a name, or the versions $Latest or $Default",
            )
        if not set(wanted) <= {"$Latest", "$Default"}:
            raise AwsError(
                "InvalidParameterValue",
                "Without a launch template only the versions $Latest and $Default can be described.",
            )
        for template in call.ec2.launch_templates.values():
            for number in wanted:
                version = template.get_version(number)
                pairs[template.id, version.number] = (template, version)
    items = [_shown_version(call, t, v) for t, v in pairs.values()]
    known = {
        "create-time": path("CreateTime"),
        "image-id": path("LaunchTemplateData.ImageId"),
        "instance-type": path("LaunchTemplateData.InstanceType"),
        "is-default-version": path("DefaultVersion"),
        "iam-instance-profile": path("LaunchTemplateData.IamInstanceProfile.Arn"),
        "ebs-optimized": path("LaunchTemplateData.EbsOptimized"),
    }
    part, token = page(call, select(items, read_filters(params), known), PAGE, PAGE)
    result: Params = {"LaunchTemplateVersions": part}
    return result | ({"NextToken": token} if token else {})
