"""The two secrets that CloudFormation cannot make: whoever deploys does, and whoever replaces a key of the vault."""

import secrets
from datetime import datetime, timezone

from cloud import Cloud
from stack import STAGE, Stack, until_updated
from telling import say

FINGERPRINT_KEY = f"/kessai/{STAGE}/fingerprint-key"
VAULT_KEYS = f"/kessai/{STAGE}/vault-keys"


def make(cloud: Cloud) -> None:
    """Makes those that are not there."""
    ssm = cloud.client("ssm")
    for name, value in ((FINGERPRINT_KEY, secrets.token_hex(32)), (VAULT_KEYS, new_key())):
        try:
            ssm.put_parameter(Name=name, Type="SecureString", Value=value)
            say(f"made the parameter {name}")
        except ssm.exceptions.ParameterAlreadyExists:
            say(f"the parameter {name} is there")


def new_key() -> str:
    """A key of the vault, behind what it is called: no other was ever called so."""
    return f"k{secrets.token_hex(4)}:{secrets.token_hex(32)}"


def read(cloud: Cloud, name: str) -> str:
    return cloud.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def change_vault_keys(cloud: Cloud, stack: Stack, value: str) -> None:
    """Changes the keys of the vault; functions read them when they start, so all are started anew."""
    cloud.client("ssm").put_parameter(Name=VAULT_KEYS, Type="SecureString", Value=value, Overwrite=True)
    start_anew(cloud, stack)


def start_anew(cloud: Cloud, stack: Stack) -> None:
    """A function whose environment changes starts anew."""
    functions = cloud.client("lambda")
    for name in stack.functions.values():
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        changed = {**variables, "KEYS_CHANGED_AT": datetime.now(timezone.utc).isoformat()}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    until_updated(cloud, stack)
