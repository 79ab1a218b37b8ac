"""Everything that a check needs, started in order and ended in reverse."""

from contextlib import ExitStack
from dataclasses import dataclass

import merchant
import parameters
import stack as stacks
from caller import Caller
from cloud import Cloud
from counting import Forwarder
from processes import descendants, speaks_to, variable
from sandbox import CLASSES, Sandbox, binary
from stack import Stack
from telling import say, step


@dataclass
class World:
    cloud: Cloud
    stack: Stack
    sandbox: Sandbox
    caller: Caller
    # None where nobody can stand between the functions and their database.
    forwarder: Forwarder | None

    def calling_the_sandbox(self, function: str) -> list[int]:
        """Those of a function that have a connection to the sandbox; only what our own emulator started."""
        assert self.cloud.process is not None
        name = self.stack.functions[function]
        below = descendants(self.cloud.process.pid)
        ours = [pid for pid in below if variable(pid, "AWS_LAMBDA_FUNCTION_NAME") == name]
        return [pid for pid in ours if speaks_to(pid, self.sandbox.port)]


def start(ending: ExitStack) -> World:
    """Deploys; whatever it starts ends with `ending`."""
    step("the cloud and the sandbox gateways")
    local = binary()
    cloud = Cloud()
    ending.callback(cloud.end)
    cloud.start()
    sandbox = Sandbox()
    ending.callback(sandbox.end)
    sandbox.start(local)
    step("build: the template and the binaries")
    stacks.build(cloud)
    step("deploy")
    parameters.make(cloud)
    stacks.deploy(cloud)
    stack = stacks.find(cloud)
    stacks.complete(cloud, stack)
    step("the merchant")
    variables = merchant.make(cloud, stack, sandbox, local)
    forwarder = None
    if cloud.endpoint:
        forwarder = Forwarder(cloud.endpoint)
        ending.callback(forwarder.end)
        stacks.redirect(cloud, stack, forwarder.address)
        say(f"functions reach DynamoDB and SQS through {forwarder.address}, where calls are counted")
    address, host = cloud.api_address(stack.api, stack.outputs["ApiUrl"])
    say(f"the API: {host} at {address}")
    caller = Caller(address, host, variables)
    caller.methods = {kind: caller.tokenize(kind, f"stored-{kind}").expect(201).method for kind in CLASSES}
    say(f"stored methods: {', '.join(caller.methods.values())}")
    return World(cloud, stack, sandbox, caller, forwarder)
