"""Merges rows into Iceberg tables of Spark's, by `id`; prints the seconds of each MERGE alone, one a line: copy-on-write, merge-on-read.

spark_upsert.py ICEBERG_RUNTIME_JAR DIRECTORY TABLE.parquet ROWS.parquet
"""

import sys
import time

from pyspark.sql import SparkSession

jar, directory, table_file, rows_file = sys.argv[1:5]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.memory", "6g")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.bench", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.bench.type", "hadoop")
    .config("spark.sql.catalog.bench.warehouse", f"file://{directory}/spark")
    .getOrCreate()
)
spark.read.parquet(rows_file).createOrReplaceTempView("rows")
for mode in ("copy-on-write", "merge-on-read"):
    name = f"bench.db.upserted_{mode.replace('-', '_')}"
    spark.read.parquet(table_file).writeTo(name).tableProperty("write.merge.mode", mode).tableProperty("format-version", "2").create()
    started = time.perf_counter()
    spark.sql(f"MERGE INTO {name} t USING rows r ON t.id = r.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    print(time.perf_counter() - started, flush=True)
