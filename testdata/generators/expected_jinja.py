"""Expected values of the resource text/jinja/cases.json: what Jinja2 makes of chat templates, set up as in transformers.

python expected_jinja.py [--write] cases.json

A case names a template (or has its source) and its variables. Without --write, prints the cases whose expected text or
error differs from what Jinja2 makes now.
"""
import json
import sys
from datetime import datetime

from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime(2026, 3, 7, 5, 4, 9)


class Generation(Extension):
    """`{% generation %}` marks what the assistant wrote; what stands in it is rendered as it is."""

    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def raise_exception(message):
    raise TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = NOW.strftime


def outcome(cases, case):
    source = case["source"] if "source" in case else cases["templates"][case["template"]]
    variables = case.get("variables", {})
    if isinstance(variables, str):
        variables = cases["variables"][variables]
    try:
        return {"expected": environment.from_string(source).render(**variables)}
    except Exception as error:  # whatever a template raises is its outcome
        return {"error": f"{type(error).__name__}: {error}"}


arguments = sys.argv[1:]
path = next(a for a in arguments if a != "--write")
with open(path) as file:
    cases = json.load(file)
differing = 0
for case in cases["cases"]:
    now = outcome(cases, case)
    before = {key: case[key] for key in ("expected", "error") if key in case}
    if now != before:
        differing += 1
        print(f"{case['name']}: {before} before, {now} now")
        for key in ("expected", "error"):
            case.pop(key, None)
        case |= now
print(f"{differing} of {len(cases['cases'])} cases differ")
if "--write" in arguments:
    with open(path, "w") as file:
        json.dump(cases, file, ensure_ascii=False)
