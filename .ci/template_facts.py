"""What must hold of the templates, whatever an emulator shows: each fact a sentence and a function that yields what
contradicts it. `controls` breaks the templates, one line at a time, and each time some fact must notice.

    template_facts.py translate DIR   DIR/template.yaml, as SAM translates it, to DIR/translated.json
    template_facts.py check DIR       the facts
    template_facts.py controls DIR    the facts on templates with an error
"""

import json
import logging
import re
import sys
from functools import cache
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# The translator says that nobody collects its statistics.
logging.disable(logging.WARNING)

CALLERS = {
    "Authorize", "Capture", "Reverse", "Sale", "PostAuth", "Refund", "Retrieve", "Tokenize", "SetUp", "Events",
    "RetryRules", "Schedulers", "Schedules",
}
HTTP = CALLERS | {"NotifyWebhook"}
BEHIND = {"Relay", "FollowUp", "DeliverEvent", "SchedulerTick"}
ASK_GATEWAYS = CALLERS - {"Retrieve", "Events", "RetryRules", "Schedulers", "Schedules"} | {"NotifyWebhook", "FollowUp"}
CALL_DELIVERY = {"Relay", "SchedulerTick"}

# --- permissions: what each function may do, and to what; nothing else ---

PAYMENTS, MERCHANTS, VAULT = "Data.PaymentsTableArn", "Data.MerchantsTableArn", "Data.VaultTableArn"
EVENTS, SCHEDULES = "Data.EventsTableArn", "Data.SchedulesTableArn"
QUEUE, GIVEN_UP = "Queues.FollowUpQueueArn", "Queues.RelayDeadLettersArn"
DELIVERS, DEAD_LETTERS, BUS = "DeliverEventFunction.Arn", "Queues.ReminderDeadLettersArn", "the bus"
FINGERPRINT_KEY, VAULT_KEYS = "the fingerprint key", "the vault's keys"

# Conditions of a permission, as they are called here. A condition on all values of a key holds where a request has
# none, so "Null" must forbid that; and what says nothing of attributes reads all, so "Select" must forbid that.
RATES, HEALTH, NOTICES = " under rate/", " under health/", " under */notice/"
IN_MERCHANTS = " under merchant/ and audit/"
RUNS = " of schedulers and runs"
AND_RETRIES = " of schedules and runs"
SCHEDULERS = " of schedulers"
NO_TOKENS, DUES = " without tokens", " of when it is due"
ASKED_FOR = " if it is asked for"
CONDITIONS = {
    RATES: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["rate/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    IN_MERCHANTS: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["merchant/*", "audit/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    RUNS: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*/5BS*", "*/5PR*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    AND_RETRIES: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*/5PS*", "*/5PR*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    SCHEDULERS: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*/5BS*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    HEALTH: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["health/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    NOTICES: {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*/notice/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
    NO_TOKENS: {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "v", "f", "ac", "m"]},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    },
    DUES: {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "v", "d", "lt", "ed", "le", "xr"]},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    },
}

COUNTS = {MERCHANTS: {"dynamodb:GetItem"}, MERCHANTS + RATES: {"dynamodb:PutItem"}}
SECRETS = {VAULT_KEYS: {"ssm:GetParameters"}}
PAYS = {
    VAULT: {"dynamodb:GetItem", "dynamodb:PutItem"},
    FINGERPRINT_KEY: {"ssm:GetParameters"},
} | SECRETS
OPENS = COUNTS | PAYS | {PAYMENTS: {"dynamodb:PutItem"}}
CHANGES = {PAYMENTS: {"dynamodb:GetItem", "dynamodb:PutItem"}}
LEFT_BEHIND = {EVENTS + NOTICES: {"dynamodb:GetItem", "dynamodb:Query"}}
STREAMS = {
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
}
HANDLES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
PERMISSIONS = {
    "Authorize": OPENS,
    "Sale": OPENS,
    "PostAuth": OPENS | CHANGES | {EVENTS + NOTICES: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}},
    "Capture": COUNTS | SECRETS | CHANGES,
    "Reverse": COUNTS | SECRETS | CHANGES,
    "Refund": COUNTS | SECRETS | CHANGES,
    "Retrieve": COUNTS | {
        PAYMENTS: {"dynamodb:GetItem"},
        VAULT + NO_TOKENS: {"dynamodb:GetItem"},
        VAULT + "/index/account" + NO_TOKENS: {"dynamodb:Query"},
    },
    "Tokenize": COUNTS | PAYS,
    "SetUp": SECRETS | {MERCHANTS: {"dynamodb:GetItem", "dynamodb:PutItem"}},
    "RetryRules": COUNTS | {MERCHANTS + IN_MERCHANTS: {"dynamodb:PutItem"}},
    "Events": COUNTS | CHANGES | {
        EVENTS: {"dynamodb:GetItem", "dynamodb:Query"},
        VAULT: {"dynamodb:GetItem", "dynamodb:PutItem"},
        SCHEDULES: {"dynamodb:GetItem", "dynamodb:PutItem"},
    },
    "Schedules": COUNTS | {
        SCHEDULES + AND_RETRIES: {"dynamodb:GetItem", "dynamodb:PutItem"},
        SCHEDULES + SCHEDULERS: {"dynamodb:GetItem"},
        SCHEDULES + "/index/all": {"dynamodb:Query"},
        SCHEDULES + "/index/agenda": {"dynamodb:Query"},
        VAULT + NO_TOKENS: {"dynamodb:GetItem"},
    },
    "Schedulers": COUNTS | {
        SCHEDULES + RUNS: {"dynamodb:GetItem", "dynamodb:PutItem"},
        SCHEDULES + "/index/all": {"dynamodb:Query"},
        SCHEDULES + "/index/agenda": {"dynamodb:Query"},
    },
    "NotifyWebhook": COUNTS | SECRETS | CHANGES | {
        EVENTS + NOTICES: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
        VAULT: {"dynamodb:GetItem", "dynamodb:PutItem"},
    },
    "Relay": {
        "Data.PaymentsStreamArn": STREAMS,
        "Data.VaultStreamArn": STREAMS,
        "Data.SchedulesStreamArn": STREAMS,
        QUEUE: {"sqs:SendMessage"},
        DELIVERS: {"lambda:InvokeFunction"},
        GIVEN_UP: {"sqs:SendMessage"},
    },
    "FollowUp": COUNTS | SECRETS | CHANGES | LEFT_BEHIND | {
        VAULT: {"dynamodb:GetItem"},
        VAULT + "/index/account": {"dynamodb:Query"},
        SCHEDULES: {"dynamodb:GetItem", "dynamodb:PutItem"},
        SCHEDULES + "/index/agenda": {"dynamodb:Query"},
        SCHEDULES + "/index/again": {"dynamodb:Query"},
        QUEUE: HANDLES | {"sqs:SendMessage"},
    },
    "DeliverEvent": SECRETS | CHANGES | {
        MERCHANTS: {"dynamodb:GetItem"},
        MERCHANTS + HEALTH: {"dynamodb:PutItem"},
        EVENTS: {"dynamodb:GetItem", "dynamodb:PutItem"},
        VAULT: {"dynamodb:GetItem", "dynamodb:PutItem"},
        SCHEDULES: {"dynamodb:GetItem", "dynamodb:PutItem"},
        DEAD_LETTERS: {"sqs:SendMessage"},
        BUS + ASKED_FOR: {"events:PutEvents"},
    },
    "SchedulerTick": {
        PAYMENTS: {"dynamodb:Scan"},
        PAYMENTS + "/index/late": {"dynamodb:Query"},
        PAYMENTS + "/index/owed": {"dynamodb:Query"},
        VAULT + "/index/owed": {"dynamodb:Query"},
        VAULT + DUES: {"dynamodb:Scan"},
        SCHEDULES: {"dynamodb:Scan"},
        SCHEDULES + "/index/late": {"dynamodb:Query"},
        SCHEDULES + "/index/owed": {"dynamodb:Query"},
        QUEUE: {"sqs:SendMessage"},
        DELIVERS: {"lambda:InvokeFunction"},
    },
}
# Who may read tokens, and who what may be shown of a stored method.
OPEN_TOKENS, READ_METHODS = {"Authorize", "Sale", "PostAuth", "Tokenize", "FollowUp"}, {"Retrieve", "Schedules"}
# Who writes into methods what came of them, or of telling of them: with the token, which stays sealed.
PASS_TOKENS_ON = {"NotifyWebhook", "DeliverEvent", "Events"}
# Who may make merchants and API keys.
MAKES_MERCHANTS = {"SetUp"}
# What takes away: an item, or of one what nobody looked at. Every write is a whole item, under a condition.
NEVER = {
    "dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
}
# What SAM gives to every function: to write its log.
GIVEN = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

# Kinds of resource that cost nothing while nobody calls. Another kind needs a look at its price first.
FREE_WHILE_IDLE = {
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::CloudFormation::Stack", "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function",
    "AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
}
ALARMS_FREE = 10


class Templates:
    """The root as SAM translates it, and the nested ones as they are written."""

    def __init__(self, texts):
        self.root = translated(texts["template.yaml"])
        nested = ["data", "queues", "alarms"]
        self.data, self.queues, self.alarms = (yaml_parse(texts[f"infra/{name}.yaml"])["Resources"] for name in nested)
        self.resources = self.root["Resources"]
        self.all = self.resources | self.data | self.queues | self.alarms
        self.written = yaml_parse(texts["template.yaml"])["Resources"]

    def of(self, kind):
        return {name: resource["Properties"] for name, resource in self.all.items() if resource["Type"] == kind}

    def functions(self):
        return {name.removesuffix("Function"): value for name, value in self.of("AWS::Lambda::Function").items()}

    def stage(self):
        (stage,) = self.of("AWS::ApiGatewayV2::Stage").values()
        return stage


@cache
def translated(text):
    template = yaml_parse(text)
    # Translation wants code that was uploaded.
    template["Globals"]["Function"]["CodeUri"] = "s3://uploaded/code"
    return transform(template, {}, None)


def read(directory):
    files = [Path("template.yaml"), *(Path("infra") / f"{name}.yaml" for name in ("data", "queues", "alarms"))]
    return {str(file): (directory / file).read_text() for file in files}


FACTS = []


def fact(sentence):
    def remember(check):
        FACTS.append((sentence, check))
        return check

    return remember


# --- functions ---


@fact("the functions are those that the permissions speak of, and `make` finds the binary of each by its name")
def names(t):
    if set(t.functions()) != HTTP | BEHIND:
        yield f"functions: {sorted(t.functions())}"
    for name, resource in t.written.items():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = re.sub("([a-z])([A-Z])", r"\1-\2", name.removesuffix("Function")).lower()
            metadata = resource["Metadata"]
            if metadata != {"BuildMethod": "makefile", "BuildProperties": {"Binary": binary}}:
                yield f"{name}: {metadata}"


@fact("every function runs on provided.al2023, and on arm64 unless asked otherwise")
def runtime(t):
    for name, function in t.functions().items():
        if function["Runtime"] != "provided.al2023" or function["Architectures"] != [{"Ref": "Architecture"}]:
            yield f"{name}: {function['Runtime']} {function['Architectures']}"
    if t.root["Parameters"]["Architecture"]["Default"] != "arm64":
        yield "the default is another"


@fact("every function logs JSON into a group that forgets, and the platform only what went wrong")
def logs(t):
    wanted = {
        "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN", "LogGroup": {"Ref": "FunctionLog"},
    }
    for name, function in t.functions().items():
        if function.get("LoggingConfig") != wanted:
            yield f"{name}: {function.get('LoggingConfig')}"
    for name, group in t.of("AWS::Logs::LogGroup").items():
        if group.get("RetentionInDays") != {"Ref": "LogRetention"}:
            yield f"{name} never forgets"


@fact("a function knows what it needs by these names")
def environment(t):
    wanted = {
        "KESSAI_STAGE", "PAYMENTS_TABLE", "MERCHANTS_TABLE", "VAULT_TABLE", "EVENTS_TABLE", "SCHEDULES_TABLE",
        "FOLLOW_UP_QUEUE_URL", "FINGERPRINT_KEY_PARAMETER", "VAULT_KEYS_PARAMETER", "EVENT_BUS_NAME",
    }
    for name, function in t.functions().items():
        variables = function["Environment"]["Variables"]
        calls = {"DELIVER_EVENT_FUNCTION"} if name in CALL_DELIVERY else set()
        if set(variables) != wanted | calls:
            yield f"{name}: {sorted(variables)}"
        if calls and variables.get("DELIVER_EVENT_FUNCTION") != {"Ref": "DeliverEventFunction"}:
            yield f"{name} calls another: {variables.get('DELIVER_EVENT_FUNCTION')}"


@fact("whoever calls over HTTP gets the function's answer, not the API's after 30 s")
def timeouts(t):
    for name in HTTP:
        if t.functions()[name]["Timeout"] > 28:
            yield f"{name}: {t.functions()[name]['Timeout']} s"


@fact("each function may do what it must, and nothing else")
def permissions(t):
    for name, wanted in PERMISSIONS.items():
        for policy in t.resources[f"{name}FunctionRole"]["Properties"]["ManagedPolicyArns"]:
            if not isinstance(policy, dict) and policy != GIVEN:
                yield f"{name}: {policy}"
        allowed = {}
        for resource, action in actions(t, name):
            allowed.setdefault(resource, set()).add(action)
        if allowed != wanted:
            yield f"{name} may {allowed}"


@fact("a token is read by who pays with it, or writes into its method; who shows methods may read the rest")
def tokens(t):
    # A write under a condition answers with the item, so it reads too.
    reads = {(name, resource) for name in PERMISSIONS for resource, _ in actions(t, name) if resource.startswith(VAULT)}
    # An index has no tokens, but nothing here depends on that.
    shown = {name for name, resource in reads if resource.endswith(NO_TOKENS)}
    apart = (NO_TOKENS, DUES, "/index/owed")
    whole = {name for name, resource in reads if not resource.endswith(apart)}
    if whole != OPEN_TOKENS | PASS_TOKENS_ON:
        yield f"tokens are read by {sorted(whole)}"
    if shown != READ_METHODS:
        yield f"methods are read by {sorted(shown)}"
    if "t" in CONDITIONS[NO_TOKENS]["ForAllValues:StringEquals"]["dynamodb:Attributes"]:
        yield "what is called without tokens has them"
    keys = {name for name in PERMISSIONS for resource, _ in actions(t, name) if resource == VAULT_KEYS}
    if not OPEN_TOKENS <= keys or keys & (READ_METHODS | {"Events"}):
        yield f"tokens are opened by {sorted(keys)}"


@fact("who asks gateways opens what we are known by there and counts how often it asks, in the time that there is")
def gateways(t):
    for name in ASK_GATEWAYS:
        allowed = set(actions(t, name))
        counts = {(MERCHANTS + RATES, "dynamodb:PutItem"), (MERCHANTS, "dynamodb:PutItem")} & allowed
        if not counts or (VAULT_KEYS, "ssm:GetParameters") not in allowed:
            yield f"{name} may {sorted(allowed)}"
        # A gateway gets at most 15 s of these.
        if t.functions()[name]["Timeout"] < 25:
            yield f"{name}: {t.functions()[name]['Timeout']} s"


@fact("one function may make API keys; others write there how often was asked, how endpoints fare, or what was set up")
def merchants(t):
    writes = {
        (name, resource)
        for name in PERMISSIONS
        for resource, action in actions(t, name)
        if resource.startswith(MERCHANTS) and action != "dynamodb:GetItem"
    }
    others = {MERCHANTS + RATES, MERCHANTS + HEALTH, MERCHANTS + IN_MERCHANTS}
    if {name for name, resource in writes if resource not in others} != MAKES_MERCHANTS:
        yield f"merchants are written by {sorted(writes)}"
    if {name for name, resource in writes if resource != MERCHANTS + HEALTH} != CALLERS | ASK_GATEWAYS:
        yield f"requests are counted by {sorted(writes)}"


@fact("nobody may delete an item, or change a part of one")
def whole(t):
    for name in PERMISSIONS:
        for resource, action in actions(t, name):
            if action in NEVER or "*" in action:
                yield f"{name}: {action} on {resource}"


def actions(t, name):
    """What a function may do, each as the resource, with the name of a condition if there is one, and the action."""
    role = t.resources[f"{name}FunctionRole"]["Properties"]
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for policy in role["ManagedPolicyArns"]:
        if isinstance(policy, dict):
            documents.append(t.resources[policy["Ref"]]["Properties"]["PolicyDocument"])
    for statement in (statement for document in documents for statement in document["Statement"]):
        asked_for = statement.get("Fn::If")
        match asked_for:
            case ["TellsBus", wanted, {"Ref": "AWS::NoValue"}]:
                statement = wanted
        condition = statement.get("Condition", {})
        known = [name for name, known in CONDITIONS.items() if known == condition]
        if set(statement) - {"Condition"} != {"Effect", "Action", "Resource"} or statement["Effect"] != "Allow":
            suffix = f" as in {statement}"
        else:
            suffix = known[0] if known else f" if {condition}" if condition else ASKED_FOR if asked_for else ""
        for resource in as_list(statement.get("Resource")):
            for action in as_list(statement.get("Action")):
                yield label(resource) + suffix, action


def as_list(one_or_more):
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def label(resource):
    """A resource's ARN in one word."""
    match resource:
        case {"Fn::GetAtt": [stack, output]}:
            return f"{stack}.{output.removeprefix('Outputs.')}"
        case {"Fn::Join": ["/", parts]}:
            return "/".join(part if isinstance(part, str) else label(part) for part in parts)
        case {"Fn::Sub": [arn, {"Name": {"Fn::If": [named, *_]}}]} if arn.endswith(":parameter${Name}"):
            return {"NamesFingerprintKey": FINGERPRINT_KEY, "NamesVaultKeys": VAULT_KEYS}.get(named, named)
        case {"Fn::Sub": arn} if arn.endswith(":event-bus/${PaymentCreationEvents}"):
            return BUS
        case other:
            return json.dumps(other)


# --- the API ---


@fact("every route is there with and without the version prefix, and is one that API Gateway makes")
def routes(t):
    (api,) = t.of("AWS::ApiGatewayV2::Api").values()
    prefix = "/services/data/{version}"
    there = {(method, path) for path, methods in api["Body"]["paths"].items() for method in methods}
    plain = {(method, path) for method, path in there if not path.startswith(prefix)}
    for method, path in plain ^ {(method, path.removeprefix(prefix)) for method, path in there - plain}:
        yield f"{method} {path} is there once"
    for method, path in there:
        if path.endswith("/"):
            yield f"{method} {path}: API Gateway makes no route that ends with a slash"


@fact("each function's permissions to be called fit into its policy, which has 20 KB")
def callable_by_routes(t):
    # One permission for each route, of less than 500 bytes with long names.
    permissions = [permission["FunctionName"]["Ref"] for permission in t.of("AWS::Lambda::Permission").values()]
    for name in set(permissions):
        if permissions.count(name) > 40:
            yield f"{name}: {permissions.count(name)}"


@fact("the API turns away what is too much, for all callers together")
def throttling(t):
    wanted = {"ThrottlingRateLimit": {"Ref": "RequestsPerSecond"}, "ThrottlingBurstLimit": {"Ref": "RequestsBurst"}}
    if t.stage().get("DefaultRouteSettings") != wanted or "RouteSettings" in t.stage():
        yield str(t.stage().get("DefaultRouteSettings"))


@fact("browsers are not let in")
def cors(t):
    (api,) = t.of("AWS::ApiGatewayV2::Api").values()
    if "CorsConfiguration" in api or "x-amazon-apigateway-cors" in json.dumps(api):
        yield "the API has CORS"


@fact("the access log says what happened, and of whoever called nothing")
def access_log(t):
    settings = t.stage()["AccessLogSettings"]
    if settings["DestinationArn"] != {"Fn::GetAtt": ["AccessLog", "Arn"]}:
        yield str(settings["DestinationArn"])
    line = settings["Format"]
    json.loads(re.sub(r":\$context[.\w]+", ":0", line))
    said = set(re.findall(r"\$context\.([.\w]+)", line))
    wanted = {
        "requestId", "requestTimeEpoch", "routeKey", "status", "responseLatency", "integrationLatency", "error.message",
        "integrationErrorMessage",
    }
    if said != wanted:
        yield f"it says {sorted(said)}"


# --- data and queues ---


@fact("tables outlive mistakes: encrypted, restorable, protected from deletion, kept by the stack")
def tables(t):
    wanted = {
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    for name, table in t.of("AWS::DynamoDB::Table").items():
        for key in wanted:
            if table.get(key) != wanted[key]:
                yield f"{name}: {key} {table.get(key)}"
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if t.all[name].get(policy) != "Retain":
                yield f"{name}: {policy} {t.all[name].get(policy)}"


@fact("payments are streamed as they are after a write, and found by when they are due")
def payments(t):
    table = t.of("AWS::DynamoDB::Table")["PaymentsTable"]
    if table.get("StreamSpecification") != {"StreamViewType": "NEW_IMAGE"}:
        yield f"stream: {table.get('StreamSpecification')}"
    indexes = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": mark, "KeyType": "HASH"}, {"AttributeName": due, "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v", "xr"]},
        }
        for name, mark, due in (("late", "lt", "d"), ("owed", "le", "ed"))
    ]
    if table.get("GlobalSecondaryIndexes") != indexes:
        yield f"indexes: {table.get('GlobalSecondaryIndexes')}"


@fact("an account's payment methods are found by its key, and no token is among what is found")
def vault(t):
    table = t.of("AWS::DynamoDB::Table")["VaultTable"]
    index = {
        "IndexName": "account",
        "KeySchema": [{"AttributeName": "ac", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v", "f", "m"]},
    }
    owed = {
        "IndexName": "owed",
        "KeySchema": [{"AttributeName": "le", "KeyType": "HASH"}, {"AttributeName": "ed", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v", "xr"]},
    }
    if table.get("GlobalSecondaryIndexes") != [index, owed]:
        yield f"indexes: {table.get('GlobalSecondaryIndexes')}"
    # The relay sees sealed tokens, and has no key.
    if table.get("StreamSpecification") != {"StreamViewType": "NEW_IMAGE"}:
        yield f"stream: {table.get('StreamSpecification')}"


@fact("what recurs is streamed, and found by when it is due and by its lists, of which indexes hold the keys alone")
def schedules(t):
    table = t.of("AWS::DynamoDB::Table")["SchedulesTable"]
    if table.get("StreamSpecification") != {"StreamViewType": "NEW_IMAGE"}:
        yield f"stream: {table.get('StreamSpecification')}"
    when_due = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v", "xr"]}
    indexes = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": of, "KeyType": "HASH"}, {"AttributeName": by, "KeyType": "RANGE"}],
            "Projection": projection,
        }
        for name, of, by, projection in (
            ("late", "lt", "d", when_due),
            ("owed", "le", "ed", when_due),
            ("agenda", "li", "la", {"ProjectionType": "KEYS_ONLY"}),
            ("again", "ri", "ra", {"ProjectionType": "KEYS_ONLY"}),
            ("all", "of", "on", {"ProjectionType": "KEYS_ONLY"}),
        )
    ]
    if table.get("GlobalSecondaryIndexes") != indexes:
        yield f"indexes: {table.get('GlobalSecondaryIndexes')}"


@fact("what merchants were told is in order, and forgotten when its time is over")
def events(t):
    table = t.of("AWS::DynamoDB::Table")["EventsTable"]
    if table["KeySchema"] != [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]:
        yield f"key: {table['KeySchema']}"
    if table.get("TimeToLiveSpecification") != {"AttributeName": "ttl", "Enabled": True}:
        yield f"time to live: {table.get('TimeToLiveSpecification')}"
    others = {name for name, other in t.of("AWS::DynamoDB::Table").items() if "TimeToLiveSpecification" in other}
    if others != {"EventsTable"}:
        yield f"what is forgotten: {others}"


@fact("queues are encrypted, and a batch that is still being tried does not come again")
def queues(t):
    for name, queue in t.of("AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"
    visibility_s = t.of("AWS::SQS::Queue")["FollowUpQueue"]["VisibilityTimeout"]
    timeout_s = t.functions()["FollowUp"]["Timeout"]
    if visibility_s < 6 * timeout_s:
        yield f"{visibility_s} s is less than six times {timeout_s} s"


@fact("what cannot be handled goes where somebody is told of it, and stays longer than where it came from")
def dead_letters(t):
    queues = t.of("AWS::SQS::Queue")
    ends = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    for name in queues.keys() - ends:
        target = queues[name]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        if target not in ends or queues[target]["MessageRetentionPeriod"] <= queues[name]["MessageRetentionPeriod"]:
            yield f"{name} ends in {target}"
    if ends != {"ReminderDeadLetters", "RelayDeadLetters"}:
        yield f"queues without an end: {ends}"
    alarms = t.of("AWS::CloudWatch::Alarm").values()
    backlogs = [alarm for alarm in alarms if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"]
    watched = {alarm["Dimensions"][0]["Value"]["Ref"] for alarm in backlogs if alarm["Threshold"] == 0}
    # What the relay gives up was behind for hours before: RelayBehind tells of it.
    if watched != {"ReminderDeadLetters"}:
        yield f"dead letters without an alarm: {ends - watched}"
    behind = [alarm for alarm in alarms if alarm["MetricName"] == "IteratorAge"]
    if not behind or any(alarm["Threshold"] > 600_000 for alarm in behind):
        yield "nobody is told that the relay is behind"
    ages = [alarm for alarm in alarms if alarm["MetricName"] == "ApproximateAgeOfOldestMessage"]
    if {alarm["Dimensions"][0]["Value"]["Ref"] for alarm in ages} != {"FollowUpQueue"}:
        yield "nobody is told that reminders are not handled"
    given = t.resources["Alarms"]["Properties"]["Parameters"]
    for name in ("FollowUpQueue", *ends):
        if given[name] != {"Fn::GetAtt": ["Queues", f"Outputs.{name}Name"]}:
            yield f"the alarm for {name} watches {given[name]}"


# --- triggers ---


@fact("the relay sees every image of every stream, and gives up on a record late and not in silence")
def relay(t):
    yield from of_stream(t, "RelayTrigger", "PaymentsStreamArn", 5)
    yield from of_stream(t, "VaultRelayTrigger", "VaultStreamArn", 5)
    yield from of_stream(t, "SchedulesRelayTrigger", "SchedulesStreamArn", 1)
    streams = {name for name, table in t.of("AWS::DynamoDB::Table").items() if "StreamSpecification" in table}
    if streams != {"PaymentsTable", "VaultTable", "SchedulesTable"}:
        yield f"streams: {streams}"


def of_stream(t, name, stream, window_s):
    trigger = t.of("AWS::Lambda::EventSourceMapping")[name]
    wanted = {
        "FunctionName": {"Ref": "RelayFunction"},
        "EventSourceArn": {"Fn::GetAtt": ["Data", f"Outputs.{stream}"]},
        "StartingPosition": "TRIM_HORIZON",
        "MaximumBatchingWindowInSeconds": window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Queues", "Outputs.RelayDeadLettersArn"]}}},
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT","MODIFY"]}'}]},
    }
    for key in wanted:
        if trigger.get(key) != wanted[key]:
            yield f"{key}: {trigger.get(key)}"
    # The time bounds the retries, not their number; -1 is for ever, and a stream keeps its records for a day.
    if trigger.get("MaximumRetryAttempts") != -1:
        yield f"MaximumRetryAttempts: {trigger.get('MaximumRetryAttempts')}"
    if not 3_600 <= trigger.get("MaximumRecordAgeInSeconds", -1) < 86_400:
        yield f"MaximumRecordAgeInSeconds: {trigger.get('MaximumRecordAgeInSeconds')}"


@fact("of a batch of reminders only those come again that could not be handled")
def batches(t):
    trigger = t.of("AWS::Lambda::EventSourceMapping")["FollowUpTrigger"]
    wanted = {
        "FunctionName": {"Ref": "FollowUpFunction"},
        "EventSourceArn": {"Fn::GetAtt": ["Queues", "Outputs.FollowUpQueueArn"]},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    for key in wanted:
        if trigger.get(key) != wanted[key]:
            yield f"{key}: {trigger.get(key)}"


@fact("a call for which nobody waits is made again, for an hour at most, and ends where somebody is told of it")
def calls(t):
    made = t.of("AWS::Lambda::EventInvokeConfig")["DeliverEventFunctionEventInvokeConfig"]
    wanted = {
        "FunctionName": {"Ref": "DeliverEventFunction"},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Queues", "Outputs.ReminderDeadLettersArn"]}}},
    }
    for key in wanted:
        if made.get(key) != wanted[key]:
            yield f"{key}: {made.get(key)}"


@fact("one queue is asked all the time, and that is free: a second would be more than the million requests that are")
def polled(t):
    sources = {
        json.dumps(trigger["EventSourceArn"]) for trigger in t.of("AWS::Lambda::EventSourceMapping").values()
    }
    polled = {source for source in sources if '"Queues"' in source}
    if len(polled) != 1:
        yield f"queues with a trigger: {polled}"


@fact("somebody looks each minute")
def tick(t):
    (schedule,) = t.of("AWS::Scheduler::Schedule").values()
    target = schedule["Target"]
    if schedule["ScheduleExpression"] != "rate(1 minute)" or schedule.get("State", "ENABLED") != "ENABLED":
        yield str(schedule)
    if target["Arn"] != {"Fn::GetAtt": ["SchedulerTickFunction", "Arn"]} or "RetryPolicy" not in target:
        yield str(target)


# --- cost and alarms ---


@fact("nothing costs while nobody calls")
def idle(t):
    for name, resource in t.all.items():
        if resource["Type"] not in FREE_WHILE_IDLE:
            yield f"{name}: what does a {resource['Type']} cost?"
    for name, function in t.functions().items():
        for costly in ("ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "VpcConfig", "SnapStart"):
            if costly in function:
                yield f"{name}: {costly}"


@fact("no more alarms than are free, each on one metric, each heard")
def alarms(t):
    all_alarms = t.of("AWS::CloudWatch::Alarm")
    if len(all_alarms) > ALARMS_FREE:
        yield f"{len(all_alarms)} alarms"
    for name, alarm in all_alarms.items():
        if "Metrics" in alarm or alarm.get("AlarmActions") != [{"Ref": "Alarms"}] or "TreatMissingData" not in alarm:
            yield f"{name}: {alarm}"


@fact("alarms and dashboard show metrics that the functions print")
def metrics(t):
    sources = "".join(file.read_text() for file in Path("infra/src").rglob("*.rs"))
    alarms = t.of("AWS::CloudWatch::Alarm").values()
    shown = {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == "Kessai"}
    shown |= set(re.findall(r'"Kessai", "(\w+)"', t.alarms["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]))
    for metric in shown:
        if f'"{metric}"' not in sources:
            yield f"nobody prints {metric}"


# --- the facts themselves: each error must be noticed by one of them ---

TEMPLATE, DATA, QUEUES, ALARMS = "template.yaml", "infra/data.yaml", "infra/queues.yaml", "infra/alarms.yaml"
MANY_ROUTES = "".join(
    f"        Many{i}: {{ Type: HttpApi, Properties: {{ Method: GET, Path: /many/{i} }} }}\n" for i in range(10)
)
ERRORS = [
    (names, TEMPLATE, "Binary: post-auth", "Binary: postauth"),
    (runtime, TEMPLATE, "Runtime: provided.al2023", "Runtime: provided.al2"),
    (runtime, TEMPLATE, "Default: arm64", "Default: x86_64"),
    (logs, TEMPLATE, "SystemLogLevel: WARN", "SystemLogLevel: INFO"),
    (logs, TEMPLATE, "RetentionInDays: !Ref LogRetention", ""),
    (environment, TEMPLATE, "KESSAI_STAGE:", "STAGE:"),
    (timeouts, TEMPLATE, "Timeout: 25", "Timeout: 30"),
    (permissions, TEMPLATE, "Action: dynamodb:PutItem,", "Action: dynamodb:UpdateItem,"),
    (permissions, TEMPLATE, "Action: dynamodb:PutItem,", "Action: [dynamodb:PutItem, dynamodb:GetItem],"),
    (permissions, TEMPLATE, "[!GetAtt Data.Outputs.PaymentsTableArn, index, late]", '["*"]'),
    (permissions, TEMPLATE, "!Ref ReadRecords]", "!Ref ChangePayments]"),
    (permissions, TEMPLATE, "!Ref ReadRecords]", "!Ref ReadRecords, AdministratorAccess]"),
    (permissions, TEMPLATE, "Policies: [!Ref CountRequests, !Ref UseVault]", "Policies: [!Ref UseVault]"),
    (permissions, TEMPLATE, "Effect: Allow, Action: dynamodb:PutItem,", "Effect: Deny, Action: dynamodb:PutItem,"),
    (permissions, TEMPLATE, "Name: !If [NamesVaultKeys,", "Name: !If [NamesFingerprintKey,"),
    (permissions, TEMPLATE, "StringEquals: { \"dynamodb:Select\"", "StringEqualsIfExists: { \"dynamodb:Select\""),
    (tokens, TEMPLATE, "[pk, v, f, ac, m]", "[pk, v, f, ac, m, t]"),
    (tokens, TEMPLATE, "\"Null\": { \"dynamodb:Attributes\": \"false\" }", ""),
    (tokens, TEMPLATE, "StringEquals: { \"dynamodb:Select\": SPECIFIC_ATTRIBUTES }", ""),
    (tokens, TEMPLATE, "SPECIFIC_ATTRIBUTES", "ALL_ATTRIBUTES"),
    (tokens, TEMPLATE, "!Ref ReadRecords]", "!Ref ReadRecords, !Ref UseVault]"),
    (tokens, TEMPLATE, "[!Ref CountRequests, !Ref ChangePayments, !Ref OpenSecrets]", "[!Ref CountRequests, !Ref ReadRecords]"),
    (tokens, TEMPLATE, "[!Ref CountRequests, !Ref ChangePayments, !Ref OpenSecrets]", "[!Ref ChangePayments, !Ref UseVault]"),
    (gateways, TEMPLATE, "!Ref ChangePayments, !Ref OpenSecrets]", "!Ref ChangePayments]"),
    (gateways, TEMPLATE, "        - !Ref OpenSecrets\n        - !Ref CountRequests", "        - !Ref OpenSecrets"),
    (gateways, TEMPLATE, "Binary: set-up\n    Properties:\n", "Binary: set-up\n    Properties:\n      Timeout: 10\n"),
    (merchants, TEMPLATE, "[\"rate/*\"]", "[\"*\"]"),
    (merchants, TEMPLATE, "\"Null\": { \"dynamodb:LeadingKeys\": \"false\" }", ""),
    (merchants, TEMPLATE, "[\"health/*\"]", "[\"key/*\"]"),
    (merchants, TEMPLATE, "[\"merchant/*\", \"audit/*\"]", "[\"*\"]"),
    (permissions, TEMPLATE, "event-bus/${PaymentCreationEvents}", "event-bus/*"),
    (permissions, TEMPLATE, "- TellsBus", "- Delivers"),
    (merchants, TEMPLATE, "ForAllValues:StringLike", "ForAnyValue:StringLike"),
    (merchants, TEMPLATE, "Policies: [!Ref CountRequests, !Ref UseVault]", "Policies: [!Ref UseVault]"),
    (whole, TEMPLATE, "Action: dynamodb:PutItem", "Action: dynamodb:UpdateItem"),
    (whole, TEMPLATE, "[dynamodb:GetItem, dynamodb:PutItem]", "[dynamodb:GetItem, dynamodb:PutItem, dynamodb:DeleteItem]"),
    (whole, TEMPLATE, "Action: dynamodb:Query", "Action: dynamodb:*"),
    (permissions, TEMPLATE, "        - !Ref UseVault\n        - !Ref ReadNotices", "        - !Ref UseVault"),
    (permissions, TEMPLATE, "[\"*/notice/*\"]", "[\"*\"]"),
    (permissions, TEMPLATE, "[\"*/5BS*\"]", "[\"*/5PR*\"]"),
    (permissions, TEMPLATE, "[\"*/5BS*\", \"*/5PR*\"]", "[\"*/5PR*\"]"),
    (permissions, TEMPLATE, "[!GetAtt Data.Outputs.PaymentsTableArn, index, owed]", "[!GetAtt Data.Outputs.PaymentsTableArn, index, late]"),
    (routes, TEMPLATE, "/services/data/{version}/set-up/merchant\"", "/services/data/{version}/set-up/merchants/1\""),
    (routes, TEMPLATE, "payment-method/tokens/{proxy+}\"", "payment-method/tokens/\""),
    (callable_by_routes, TEMPLATE, "        Show: {", MANY_ROUTES + "        Show: {"),
    (throttling, TEMPLATE, "ThrottlingBurstLimit: !Ref RequestsBurst", ""),
    (cors, TEMPLATE, "FailOnWarnings: true", "CorsConfiguration: true"),
    (access_log, TEMPLATE, "$context.requestId", "$context.identity.sourceIp"),
    (tables, DATA, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    (tables, DATA, "SSEEnabled: true", "SSEEnabled: false"),
    (tables, DATA, "DeletionProtectionEnabled: true", ""),
    (tables, DATA, "UpdateReplacePolicy: Retain", ""),
    (payments, DATA, "NEW_IMAGE", "KEYS_ONLY"),
    (payments, DATA, "IndexName: late", "IndexName: later"),
    (payments, DATA, "IndexName: owed", "IndexName: owing"),
    (payments, DATA, "AttributeName: ed, KeyType", "AttributeName: d, KeyType"),
    (events, DATA, "AttributeName: ttl", "AttributeName: until"),
    (events, DATA, "- { AttributeName: sk, KeyType: RANGE }", ""),
    (vault, DATA, "IndexName: account", "IndexName: accounts"),
    (schedules, DATA, "IndexName: agenda", "IndexName: agendas"),
    (schedules, DATA, "KeyType: HASH }\n            - { AttributeName: ra,", "KeyType: HASH }\n            - { AttributeName: la,"),
    (schedules, DATA, "ProjectionType: KEYS_ONLY", "ProjectionType: ALL"),
    (relay, TEMPLATE, "EventSourceArn: !GetAtt Data.Outputs.SchedulesStreamArn", "EventSourceArn: !GetAtt Data.Outputs.VaultStreamArn"),
    (permissions, TEMPLATE, "[!GetAtt Data.Outputs.SchedulesTableArn, index, again]", "[!GetAtt Data.Outputs.SchedulesTableArn, index, all]"),
    (vault, DATA, "NonKeyAttributes: [v, f, m]", "NonKeyAttributes: [v, f, m, t]"),
    (queues, QUEUES, "VisibilityTimeout: 150", "VisibilityTimeout: 149"),
    (queues, QUEUES, "SqsManagedSseEnabled: true", ""),
    (dead_letters, QUEUES, "MessageRetentionPeriod: 345600", "MessageRetentionPeriod: 1209600"),
    (dead_letters, ALARMS, "Value: !Ref ReminderDeadLetters", "Value: !Ref RelayDeadLetters"),
    (dead_letters, ALARMS, "Value: !Ref FollowUpQueue", "Value: !Ref ReminderDeadLetters"),
    (dead_letters, TEMPLATE, "Outputs.RelayDeadLettersName", "Outputs.ReminderDeadLettersName"),
    (relay, TEMPLATE, "StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST"),
    (relay, TEMPLATE, "MaximumRecordAgeInSeconds: 43200", "MaximumRecordAgeInSeconds: -1"),
    (relay, TEMPLATE, "MaximumRetryAttempts: -1", "MaximumRetryAttempts: 3"),
    (batches, TEMPLATE, "BatchSize: 10", "BatchSize: 1"),
    (calls, TEMPLATE, "MaximumRetryAttempts: 2", "MaximumRetryAttempts: 0"),
    (calls, TEMPLATE, "Destination: !GetAtt Queues.Outputs.ReminderDeadLettersArn", "Destination: !GetAtt Queues.Outputs.FollowUpQueueArn"),
    (polled, TEMPLATE, "EventSourceArn: !GetAtt Data.Outputs.PaymentsStreamArn", "EventSourceArn: !GetAtt Queues.Outputs.RelayDeadLettersArn"),
    (permissions, TEMPLATE, "!GetAtt DeliverEventFunction.Arn", '"*"'),
    (environment, TEMPLATE, "DELIVER_EVENT_FUNCTION: !Ref DeliverEventFunction", "DELIVER_EVENT_FUNCTION: !Ref FollowUpFunction"),
    (tick, TEMPLATE, "rate(1 minute)", "rate(1 hour)"),
    (idle, TEMPLATE, "MemorySize: 256", "ReservedConcurrentExecutions: 1"),
    (idle, QUEUES, "Type: AWS::SQS::Queue", "Type: AWS::KMS::Key"),
    (alarms, ALARMS, "AlarmActions: [!Ref Alarms]", "AlarmActions: []"),
    (metrics, ALARMS, "MetricName: Overdue", "MetricName: TooLate"),
]


def contradictions(texts):
    templates = Templates(texts)
    return [(check, sentence, what) for sentence, check in FACTS for what in check(templates)]


def controls(texts):
    """Breaks the first line that reads `right`; the fact it is for must notice."""
    unused = {check for _, check in FACTS} - {check for check, *_ in ERRORS}
    yield from (f"nothing shows that {check.__name__} can fail" for check in unused)
    for check, file, right, wrong in ERRORS:
        if right not in texts[file]:
            yield f"{file} has no {right!r} to get wrong"
        elif not list(check(Templates(texts | {file: texts[file].replace(right, wrong, 1)}))):
            yield f"{check.__name__} does not notice {wrong!r} for {right!r}"


def main(command, directory):
    directory = Path(directory)
    if command == "translate":
        template = translated((directory / TEMPLATE).read_text())
        (directory / "translated.json").write_text(json.dumps(template, indent=1))
        return
    texts = read(directory)
    if command == "check":
        problems = [f"not so: {sentence}: {what}" for _, sentence, what in contradictions(texts)]
        done = f"{len(FACTS)} facts hold"
    else:
        problems = list(controls(texts))
        done = f"{len(ERRORS)} errors noticed by the facts"
    sys.exit("\n".join(problems) if problems else print(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
