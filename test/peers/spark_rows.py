"""Prints the rows of Iceberg tables as Spark with Iceberg's own runtime sees them, in the JSON forms of Icecore's API.

usage: spark_rows.py ICEBERG_RUNTIME_JAR REQUESTS.json

Requests as table_rows.py takes them.
"""
import base64
import datetime
import decimal
import json
import math
import os
import sys
import time

from pyspark.sql import SparkSession, types


def cell(value, kind):
    if value is None:
        return None
    if isinstance(kind, types.StructType):
        return {field.name: cell(value[field.name], field.dataType) for field in kind.fields}
    if isinstance(kind, types.MapType):
        return [[cell(key, kind.keyType), cell(item, kind.valueType)] for key, item in value.items()]
    if isinstance(kind, types.ArrayType):
        return [cell(item, kind.elementType) for item in value]
    if isinstance(kind, types.LongType):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(kind, types.TimestampType):
        return value.isoformat() + "Z"
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return value


# Spark hands instants to Python in the process's own time zone.
os.environ["TZ"] = "UTC"
time.tzset()
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", sys.argv[1])
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
with open(sys.argv[2]) as file:
    requests = json.load(file)
for request in requests:
    reader = spark.read.format("iceberg")
    if request["snapshotId"] is not None:
        reader = reader.option("snapshot-id", request["snapshotId"])
    frame = reader.load(request["metadata"])
    with open(request["output"], "w") as output:
        for row in frame.collect():
            output.write(json.dumps(cell(row, frame.schema)) + "\n")
spark.stop()
