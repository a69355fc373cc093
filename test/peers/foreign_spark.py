"""Rows of Iceberg tables as Spark and Iceberg's Java library see them, one JSON text a row, and files that only the library writes.

Runs in a session that has `spark`. Cells: longs, instants (micros or nanos since 1970), times (micros) and decimals as text, dates as days
since 1970, binary in hex, structs as objects, maps as {"map": [[key, value]]}.
"""
import decimal
import json
import math
import struct
import uuid

from pyspark.sql import types

jvm = spark._jvm
digits = decimal.Context(prec=38)
iceberg = jvm.org.apache.iceberg


def exact(e, kind, depth=0):
    """SQL for a value in types that Python holds exactly."""
    each = f"x{depth}"
    if isinstance(kind, types.LongType):
        return f"CAST({e} AS STRING)"
    if isinstance(kind, types.DateType):
        return f"unix_date({e})"
    if isinstance(kind, types.TimestampType):
        return f"CAST(unix_micros({e}) AS STRING)"
    if isinstance(kind, types.TimestampNTZType):
        return f"CAST(unix_micros(CAST({e} AS TIMESTAMP)) AS STRING)"
    if isinstance(kind, types.BinaryType):
        return f"lower(hex({e}))"
    if isinstance(kind, types.ArrayType):
        return f"transform({e}, {each} -> {exact(each, kind.elementType, depth + 1)})"
    if isinstance(kind, types.MapType):
        key = exact(f"{each}.key", kind.keyType, depth + 1)
        value = exact(f"{each}.value", kind.valueType, depth + 1)
        return f"transform(map_entries({e}), {each} -> named_struct('k', {key}, 'v', {value}))"
    if isinstance(kind, types.StructType):
        members = [f"'f{at}', {exact(f'{e}.`{f.name}`', f.dataType, depth)}" for at, f in enumerate(kind.fields)]
        return f"if({e} IS NULL, NULL, named_struct({', '.join(members)}))"
    return e


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "-0" if value == 0 and math.copysign(1, value) < 0 else value


def spark_cell(value, kind):
    if value is None:
        return None
    if isinstance(kind, types.ArrayType):
        return [spark_cell(item, kind.elementType) for item in value]
    if isinstance(kind, types.MapType):
        return {"map": [[spark_cell(k, kind.keyType), spark_cell(v, kind.valueType)] for k, v in value]}
    if isinstance(kind, types.StructType):
        return {f.name: spark_cell(value[at], f.dataType) for at, f in enumerate(kind.fields)}
    if isinstance(kind, types.DecimalType):
        return format(value.quantize(decimal.Decimal(1).scaleb(-kind.scale), context=digits), "f")
    return number(value) if isinstance(value, float) else value


def spark_rows(query):
    frame = spark.sql(query)
    fields = frame.schema.fields
    cells = frame.selectExpr(*[f"{exact(f'`{f.name}`', f.dataType)} AS f{at}" for at, f in enumerate(fields)])
    return [
        json.dumps({f.name: spark_cell(row[at], f.dataType) for at, f in enumerate(fields)}) for row in cells.collect()
    ]


def load(name):
    return iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, f"lake.{name}")


def java_cell(value, kind):
    if value is None:
        return None
    tid = kind.typeId().toString()
    if tid == "STRUCT":
        return {f.name(): java_cell(value.get(at), f.type()) for at, f in enumerate(kind.fields())}
    if tid == "LIST":
        return [java_cell(item, kind.elementType()) for item in value]
    if tid == "MAP":
        pairs = [(entry.getKey(), entry.getValue()) for entry in value.entrySet()]
        return {"map": [[java_cell(k, kind.keyType()), java_cell(v, kind.valueType())] for k, v in pairs]}
    time = iceberg.util.DateTimeUtil
    if tid == "DATE":
        return time.daysFromDate(value)
    if tid == "TIME":
        return str(time.microsFromTime(value))
    if tid == "TIMESTAMP":
        return str(time.microsFromTimestamptz(value) if kind.shouldAdjustToUTC() else time.microsFromTimestamp(value))
    if tid == "TIMESTAMP_NANO":
        return str(time.nanosFromTimestamptz(value) if kind.shouldAdjustToUTC() else time.nanosFromTimestamp(value))
    if tid == "UUID":
        return value.toString()
    if tid == "FIXED":
        return bytes(value).hex()
    if tid == "BINARY":
        return bytes(iceberg.util.ByteBuffers.toByteArray(value)).hex()
    if tid == "DECIMAL":
        return format(value, "f")
    if tid == "LONG":
        return str(value)
    if tid == "FLOAT":
        return number(struct.unpack("f", struct.pack("f", value))[0])
    if tid == "DOUBLE":
        return number(value)
    return value


def java_rows(name):
    table = load(name)
    kind = table.schema().asStruct()
    found = []
    rows = iceberg.data.IcebergGenerics.read(table).build()
    each = rows.iterator()
    while each.hasNext():
        found.append(json.dumps(java_cell(each.next(), kind)))
    rows.close()
    return found


def java_create(name, schema, spec=None, properties={}):
    """A table of a schema that SQL has no words for; schema and spec in the JSON of table metadata."""
    catalog = iceberg.spark.Spark3Util.loadIcebergCatalog(spark._jsparkSession, "lake")
    schema = iceberg.SchemaParser.fromJson(json.dumps({"type": "struct", "schema-id": 0, **schema}))
    if spec is None:
        spec = iceberg.PartitionSpec.unpartitioned()
    else:
        spec = iceberg.PartitionSpecParser.fromJson(schema, json.dumps({"spec-id": 0, **spec}))
    catalog.createTable(iceberg.catalog.TableIdentifier.parse(name), schema, spec, properties)


def single_value(value, kind):
    """A value in the JSON single-value form, out of one whose structs are by name and whose maps are lists of pairs."""
    if value is None:
        return None
    tid = kind.typeId().toString()
    if tid == "STRUCT":
        return {str(f.fieldId()): single_value(value.get(f.name()), f.type()) for f in kind.fields()}
    if tid == "LIST":
        return [single_value(item, kind.elementType()) for item in value]
    if tid == "MAP":
        keys = [single_value(key, kind.keyType()) for key, _ in value]
        return {"keys": keys, "values": [single_value(item, kind.valueType()) for _, item in value]}
    return value


def java_file(table, rows, schema, file_format, kind="data"):
    """Writes rows, given as objects; gives the output file and its appender."""
    extension = file_format.lower()
    out = table.io().newOutputFile(f"{table.location()}/data/{kind}-{uuid.uuid4()}.{extension}")
    appender = iceberg.InternalData.write(iceberg.FileFormat.valueOf(file_format), out).schema(schema).build()
    struct_type = schema.asStruct()
    for row in rows:
        appender.add(iceberg.SingleValueParser.fromJson(struct_type, json.dumps(single_value(row, struct_type))))
    appender.close()
    return out, appender


def described(builder, out, appender, file_format, partition):
    builder = builder.withPath(out.location()).withFormat(iceberg.FileFormat.valueOf(file_format))
    builder = builder.withFileSizeInBytes(appender.length()).withMetrics(appender.metrics())
    return builder if partition is None else builder.withPartitionPath(partition)


def java_append(name, rows, partition=None, file_format="PARQUET"):
    table = load(name)
    out, appender = java_file(table, rows, table.schema(), file_format)
    builder = iceberg.DataFiles.builder(table.spec())
    table.newAppend().appendFile(described(builder, out, appender, file_format, partition).build()).commit()


def equality_delete(name, rows, columns, partition=None, file_format="PARQUET", schema_id=None, spec_id=None):
    """Deletes the rows that are equal to any of `rows` in `columns`, by names of the schema given."""
    table = load(name)
    schema = table.schema() if schema_id is None else table.schemas().get(schema_id)
    spec = table.spec() if spec_id is None else table.specs().get(spec_id)
    ids = spark._sc._gateway.new_array(jvm.int, len(columns))
    wanted = jvm.java.util.HashSet()
    for at, column in enumerate(columns):
        ids[at] = schema.findField(column).fieldId()
        wanted.add(column)
    out, appender = java_file(table, rows, schema.select(wanted), file_format, "deletes")
    builder = iceberg.FileMetadata.deleteFileBuilder(spec).ofEqualityDeletes(ids)
    table.newRowDelta().addDeletes(described(builder, out, appender, file_format, partition).build()).commit()
