"""RAM over HTTP: roles, policies and what is attached to whom, as `alibabacloud-ram20150501` asks for it.

RPC style: everything is `POST /` with the action in `x-acs-action` and the parameters in the query, signed
with ACS3-HMAC-SHA256. What is attached to a role counts for it from then on, in OSS and FC; a role made here
may do nothing until something is attached. It must not know what the actions in a policy mean.

Codes, statuses and limits as RAM documents them; of the system policies only the one of OSS triggers is
known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.cloud import ram
from tests.cloud.accounts import Accounts
from tests.cloud.fc.errors import FcError
from tests.cloud.fc.invocation import new_request_id
from tests.cloud.fc.signature import Signed, Verifier

VERSION = "2015-05-01"
LONGEST_DOCUMENT = 6144  # characters of a custom policy
MOST_VERSIONS = 5
_ROTATE = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
_SYSTEM = {
    "AliyunOSSEventNotificationRolePolicy": json.dumps(
        {
            "Version": "1",
            "Statement": [{"Effect": "Allow", "Action": "fc:InvokeFunction", "Resource": "*"}],
        }
    )
}

_CODES = {"SignatureNotMatch": "SignatureDoesNotMatch", "InvalidAccessKeyID": "InvalidAccessKeyId.NotFound"}

PolicyName = tuple[str, str]  # System or Custom, and the name
Answer = dict[str, object]


class RamError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _Parameters(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise RamError(400, f"Missing{name}", f"The parameter {name} is missing.")


class Custom(msgspec.Struct):
    """A policy with its versions, oldest first: (id, document)."""

    versions: list[tuple[str, str]]
    default: str

    @property
    def document(self) -> str:
        return dict(self.versions)[self.default]


class Role(msgspec.Struct):
    name: str
    trust: str
    description: str
    attached: list[PolicyName] = msgspec.field(default_factory=list)


class RamApi:
    """The account's roles and policies. `handle` is the endpoint `POST /`."""

    def __init__(self, accounts: Accounts) -> None:
        self._account = accounts.account_id
        self._policies = accounts.policies
        self._verifier = Verifier(accounts)
        self._roles: dict[str, Role] = {}
        self._customs: dict[str, Custom] = {}
        self.counts: dict[str, int] = {}
        self._actions: dict[str, Callable[[Mapping[str, str]], Answer]] = {
            "GetRole": self._get_role,
            "CreateRole": self._create_role,
            "UpdateRole": self._update_role,
            "GetPolicy": self._get_policy,
            "CreatePolicy": self._create_policy,
            "CreatePolicyVersion": self._create_policy_version,
            "ListPoliciesForRole": self._list_policies_for_role,
            "AttachPolicyToRole": self._attach,
            "DetachPolicyFromRole": self._detach,
        }

    async def handle(self, http: Request) -> Response:
        request_id = new_request_id()
        try:
            content = self._answer(http, await http.body())
        except FcError as error:  # of the signature: the scheme is the same
            code = _CODES.get(error.code, error.code)
            return _refusal(RamError(error.status, code, error.message), request_id)
        except RamError as error:
            return _refusal(error, request_id)
        return JSONResponse({"RequestId": request_id, **content})

    def _answer(self, http: Request, body: bytes) -> Answer:
        signed = Signed(
            method=http.method,
            raw_path=http.scope["raw_path"].decode("ascii"),
            query=http.scope["query_string"].decode("ascii"),
            headers=dict(http.headers),
            body=body,
        )
        credentials = self._verifier.verify(signed)
        action, version = http.headers.get("x-acs-action", ""), http.headers.get("x-acs-version", "")
        if version != VERSION:
            raise RamError(400, "InvalidVersion", f"Specified parameter Version {version!r} is not valid.")
        if action not in self._actions:
            raise RamError(404, "InvalidAction.NotFound", f"{action!r} is not done by the local cloud")
        parameters = _Parameters(http.query_params)
        for resource in self._resources(parameters):
            if not self._policies.allow(credentials.principal, f"ram:{action}", resource):
                message = (
                    f"You are not authorized to do this action. Resource: {resource} Action: ram:{action}"
                )
                raise RamError(403, "NoPermission", message)
        self.counts[action] = self.counts.get(action, 0) + 1
        return self._actions[action](parameters)

    def _resources(self, parameters: Mapping[str, str]) -> list[str]:
        """What an action is about: the role, the policy, or both."""
        found = []
        if role := parameters.get("RoleName"):
            found.append(f"acs:ram:*:{self._account}:role/{role}")
        if policy := parameters.get("PolicyName"):
            owner = "system" if parameters.get("PolicyType") == "System" else self._account
            found.append(f"acs:ram:*:{owner}:policy/{policy}")
        return found

    # --- roles ---

    def _get_role(self, parameters: Mapping[str, str]) -> Answer:
        return {"Role": self._shown(self._role(parameters))}

    def _create_role(self, parameters: Mapping[str, str]) -> Answer:
        name, trust = parameters["RoleName"], _trust(parameters["AssumeRolePolicyDocument"])
        if name.lower() in self._roles:
            raise RamError(409, "EntityAlreadyExists.Role", f"The role already exists: {name} .")
        role = Role(name, trust, parameters.get("Description", ""))
        self._roles[name.lower()] = role
        self._spread(role)
        return {"Role": self._shown(role)}

    def _update_role(self, parameters: Mapping[str, str]) -> Answer:
        role = self._role(parameters)
        if document := parameters.get("NewAssumeRolePolicyDocument"):
            role.trust = _trust(document)
        return {"Role": self._shown(role)}

    def _role(self, parameters: Mapping[str, str]) -> Role:
        name = parameters["RoleName"]
        if name.lower() not in self._roles:
            raise RamError(404, "EntityNotExist.Role", f"The role not exists: {name} .")
        return self._roles[name.lower()]

    def _shown(self, role: Role) -> Answer:
        return {
            "RoleName": role.name,
            "Arn": f"acs:ram::{self._account}:role/{role.name.lower()}",
            "AssumeRolePolicyDocument": role.trust,
            "Description": role.description,
            "MaxSessionDuration": 3600,
        }

    # --- policies ---

    def _get_policy(self, parameters: Mapping[str, str]) -> Answer:
        name = _policy_name(parameters)
        document = self._document(name)
        version = self._customs[name[1]].default if name[0] == "Custom" else "v1"
        shown = {"PolicyName": name[1], "PolicyType": name[0], "DefaultVersion": version}
        default = {"VersionId": version, "IsDefaultVersion": True, "PolicyDocument": document}
        return {"Policy": shown, "DefaultPolicyVersion": default}

    def _create_policy(self, parameters: Mapping[str, str]) -> Answer:
        name, document = parameters["PolicyName"], _checked(parameters["PolicyDocument"])
        if name in self._customs:
            raise RamError(409, "EntityAlreadyExists.Policy", f"The policy already exists: {name} .")
        self._customs[name] = Custom([("v1", document)], "v1")
        return {"Policy": {"PolicyName": name, "PolicyType": "Custom", "DefaultVersion": "v1"}}

    def _create_policy_version(self, parameters: Mapping[str, str]) -> Answer:
        name, document = parameters["PolicyName"], _checked(parameters["PolicyDocument"])
        self._document(("Custom", name))
        custom = self._customs[name]
        if len(custom.versions) >= MOST_VERSIONS:
            if parameters.get("RotateStrategy") != _ROTATE:
                message = f"The count of policy versions beyond the current limits: {MOST_VERSIONS} ."
                raise RamError(409, "LimitExceeded.Policy.Version", message)
            oldest = next(each for each in custom.versions if each[0] != custom.default)
            custom.versions.remove(oldest)
        version = f"v{int(custom.versions[-1][0][1:]) + 1}"
        custom.versions.append((version, document))
        if parameters.get("SetAsDefault", "false").lower() == "true":
            custom.default = version
        for role in self._roles.values():
            self._spread(role)
        default = custom.default == version
        return {"PolicyVersion": {"VersionId": version, "IsDefaultVersion": default}}

    def _document(self, name: PolicyName) -> str:
        kind, text = name
        if kind == "System" and text in _SYSTEM:
            return _SYSTEM[text]
        if kind == "Custom" and text in self._customs:
            return self._customs[text].document
        raise RamError(404, "EntityNotExist.Policy", f"The policy not exists: {text} .")

    # --- what is attached ---

    def _list_policies_for_role(self, parameters: Mapping[str, str]) -> Answer:
        role = self._role(parameters)
        found = [{"PolicyType": kind, "PolicyName": name} for kind, name in role.attached]
        return {"Policies": {"Policy": found}}

    def _attach(self, parameters: Mapping[str, str]) -> Answer:
        role, name = self._role(parameters), _policy_name(parameters)
        self._document(name)
        if name in role.attached:
            message = "The policy has already been attached to the role."
            raise RamError(409, "EntityAlreadyExists.Role.Policy", message)
        role.attached.append(name)
        self._spread(role)
        return {}

    def _detach(self, parameters: Mapping[str, str]) -> Answer:
        role, name = self._role(parameters), _policy_name(parameters)
        if name not in role.attached:
            raise RamError(404, "EntityNotExist.Role.Policy", "The policy is not attached to the role.")
        role.attached.remove(name)
        self._spread(role)
        return {}

    def _spread(self, role: Role) -> None:
        """Let what is attached to the role count."""
        attached = (ram.read(self._document(name)) for name in role.attached)
        self._policies.put(role.name, ram.union(attached))


def _policy_name(parameters: Mapping[str, str]) -> PolicyName:
    kind = parameters.get("PolicyType", "")
    if kind not in {"System", "Custom"}:
        raise RamError(400, "InvalidParameter.PolicyType", "The policy type is System or Custom.")
    return kind, parameters["PolicyName"]


def _checked(document: str) -> str:
    if len(document) > LONGEST_DOCUMENT:
        message = f"The length of parameter PolicyDocument is beyond {LONGEST_DOCUMENT}."
        raise RamError(400, "InvalidParameter.PolicyDocument.Length", message)
    try:
        ram.read(document)
    except ram.PolicyError as error:
        raise RamError(400, "MalformedPolicyDocument", str(error)) from error
    return document


class _Principal(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    service: list[str] = []
    ram: list[str] = msgspec.field(name="RAM", default_factory=list)


class _TrustStatement(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    effect: ram.Effect
    action: str
    principal: _Principal


class _Trust(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    version: str
    statement: list[_TrustStatement]


def _trust(document: str) -> str:
    try:
        trust = msgspec.json.decode(document, type=_Trust)
    except msgspec.DecodeError as error:
        raise RamError(400, "MalformedPolicyDocument", str(error)) from error
    if trust.version != "1" or any(each.action != "sts:AssumeRole" for each in trust.statement):
        raise RamError(400, "MalformedPolicyDocument", "a trust policy allows sts:AssumeRole")
    return document


def _refusal(error: RamError, request_id: str) -> Response:
    content = {
        "RequestId": request_id,
        "HostId": "ram.aliyuncs.com",
        "Code": error.code,
        "Message": str(error),
    }
    return JSONResponse(content, error.status)
