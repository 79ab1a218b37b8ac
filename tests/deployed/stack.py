"""The deployed system: built, deployed, found, and completed where an emulator leaves something out."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import tools
from cloud import Cloud
from telling import say, until

STAGE = "deployed-test"
NAME = f"kessai-{STAGE}"
BUILD = tools.SCRATCH / "build"


@dataclass
class Stack:
    """What the checks need to know of it."""

    outputs: dict[str, str]
    # By logical id, of this stack and those in it.
    resources: dict[str, str]
    template: dict[str, Any]

    @property
    def functions(self) -> dict[str, str]:
        """The names that Lambda knows the functions by."""
        kind = "AWS::Lambda::Function"
        declared = {id for id, resource in self.template["Resources"].items() if resource["Type"] == kind}
        return {id: name for id, name in self.resources.items() if id in declared}

    @property
    def api(self) -> str:
        return self.resources["ServerlessHttpApi"]


def run(cloud: Cloud, command: list[str], **more: str) -> None:
    """Runs a command that prints what it does, and shows that only if it fails."""
    environment = {**cloud.environment(), **more}
    done = subprocess.run(command, cwd=tools.ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")


def parameters(cloud: Cloud) -> list[str]:
    return ["--parameter-overrides", f"Stage={STAGE}", f"Architecture={cloud.architecture}"]


def build(cloud: Cloud) -> None:
    sam = [str(tools.TOOLS / "bin/sam"), "build", "--build-dir", str(BUILD), "--build-in-source"]
    run(cloud, [*sam, *parameters(cloud)], KESSAI_ARCHITECTURE=cloud.architecture)
    for bootstrap in sorted(BUILD.glob("*/bootstrap")):
        say(f"{bootstrap.parent.name}: {bootstrap.stat().st_size / 1e6:.2f} MB")


def deploy(cloud: Cloud) -> None:
    sam = [str(tools.TOOLS / "bin/sam"), "deploy", "--stack-name", NAME]
    what = ["--template-file", str(BUILD / "template.yaml"), "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    how = ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    run(cloud, [*sam, *what, *how, *parameters(cloud)])


def find(cloud: Cloud) -> Stack:
    formation = cloud.client("cloudformation")
    described = formation.describe_stacks(StackName=NAME)["Stacks"][0]
    say(f"{described['StackName']}: {described['StackStatus']}")
    template = formation.get_template(StackName=NAME, TemplateStage="Processed")["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    return Stack(outputs, resources(cloud, NAME), template)


def resources(cloud: Cloud, stack: str) -> dict[str, str]:
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found: dict[str, str] = {}
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        found[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        if resource["ResourceType"] == "AWS::CloudFormation::Stack":
            found |= resources(cloud, resource["PhysicalResourceId"])
    return found


def complete(cloud: Cloud, stack: Stack) -> None:
    """Creates what CloudFormation should have created, and says what that was. On AWS there is nothing to do."""
    made = complete_routes(cloud, stack)
    say(f"had to create: {', '.join(made) if made else 'nothing'}")
    assert_triggers(cloud, stack)


def complete_routes(cloud: Cloud, stack: Stack) -> list[str]:
    """The routes are in the body of the API, an OpenAPI document."""
    gateway = cloud.client("apigatewayv2")
    there = {route["RouteKey"] for route in gateway.get_routes(ApiId=stack.api).get("Items", [])}
    wanted = {
        f"{method.upper()} {path}": operation
        for path, methods in stack.template["Resources"]["ServerlessHttpApi"]["Properties"]["Body"]["paths"].items()
        for method, operation in methods.items()
    }
    missing = {key: operation for key, operation in wanted.items() if key not in there}
    integrations: dict[str, str] = {}
    for key, operation in missing.items():
        function = called(operation["x-amazon-apigateway-integration"], stack)
        if function not in integrations:
            arn = cloud.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
            made = gateway.create_integration(
                ApiId=stack.api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )
            integrations[function] = made["IntegrationId"]
        gateway.create_route(ApiId=stack.api, RouteKey=key, Target=f"integrations/{integrations[function]}")
    made = [f"{len(missing)} of {len(wanted)} routes"] if missing else []
    stages = [stage["StageName"] for stage in gateway.get_stages(ApiId=stack.api).get("Items", [])]
    if "$default" not in stages:
        gateway.create_stage(ApiId=stack.api, StageName="$default", AutoDeploy=True)
        made.append("the stage $default")
    return made


def called(integration: dict[str, Any], stack: Stack) -> str:
    """The function that an integration calls: its URI names it, resolved or not."""
    uri = json.dumps(integration["uri"])
    names = [name for id, name in stack.functions.items() if f"{{{id}.Arn}}" in uri or f":{name}/" in uri]
    assert len(names) == 1, f"{uri} names {names}"
    return names[0]


def assert_triggers(cloud: Cloud, stack: Stack) -> None:
    """Without its triggers the system looks sound, and never finishes what is left open."""
    mappings = cloud.client("lambda").get_paginator("list_event_source_mappings").paginate()
    there = {mapping["UUID"] for page in mappings for mapping in page["EventSourceMappings"]}
    kind = "AWS::Lambda::EventSourceMapping"
    wanted = [id for id, resource in stack.template["Resources"].items() if resource["Type"] == kind]
    lost = [id for id in wanted if stack.resources.get(id) not in there]
    assert wanted and not lost, f"event source mappings that are not there: {lost} of {wanted}"
    say(f"triggers: {', '.join(wanted)}")


def redirect(cloud: Cloud, stack: Stack, address: str) -> None:
    """Has every function reach DynamoDB and SQS through `address`, under a path that names the function."""
    functions = cloud.client("lambda")
    for id, name in stack.functions.items():
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        own = {f"AWS_ENDPOINT_URL_{service}": f"{address}/{id}" for service in ("DYNAMODB", "SQS")}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, **own}})
    until_updated(cloud, stack)


def until_updated(cloud: Cloud, stack: Stack) -> None:
    functions = cloud.client("lambda")

    def is_updated() -> bool:
        states = [functions.get_function_configuration(FunctionName=name) for name in stack.functions.values()]
        return all(state.get("LastUpdateStatus", "Successful") == "Successful" for state in states)

    until("the functions are updated", is_updated)
