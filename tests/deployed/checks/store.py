"""The store's contract, kept by the database behind the deployed functions."""

import subprocess

import tools
from checks.common import Skipped
from telling import say
from world import World

TEST = "store::a_deployed_table_keeps_the_contract"


def the_database_keeps_the_contract_of_stores(world: World) -> None:
    if not world.cloud.is_emulated:
        raise Skipped("the suite leaves its items behind")
    # The table without a stream: what the suite writes is no payment, and the relay would take offence.
    table = world.stack.outputs["MerchantsTable"]
    command = ["cargo", "test", "--quiet", "-p", "kessai-infra", "--test", "edges", "--", "--ignored", "--exact", TEST]
    environment = {**world.cloud.environment(), "CONTRACT_TABLE": table}
    done = subprocess.run(command, cwd=tools.ROOT, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "1 passed" in said, said[-3000:]
    say(f"{TEST} passed")


CHECKS = [the_database_keeps_the_contract_of_stores]
