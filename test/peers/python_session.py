"""Runs what it is sent, one JSON line after the other, in one namespace: {"code"} is answered with {"value"} or {"error"}.

The value is that of the last expression. Numbers that JSON or JavaScript do not hold go as text; so does what else has no form there.
"""
import ast
import json
import math
import os
import sys
import time

# Engines hand instants to Python in the process's own time zone.
os.environ["TZ"] = "UTC"
time.tzset()
answers = os.fdopen(os.dup(1), "w")
# What libraries print is not an answer.
os.dup2(2, 1)


def plain(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def run(code):
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<test>", "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), "<test>", "eval"), namespace)


namespace = {}
for line in sys.stdin:
    try:
        answer = {"value": plain(run(json.loads(line)["code"]))}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
