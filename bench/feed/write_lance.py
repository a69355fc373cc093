"""The rows of Parquet files as a Lance dataset: write_lance.py DIRECTORY FILE..."""

import sys

import lance
import pyarrow.dataset as ds

scanner = ds.dataset(sys.argv[2:], format="parquet").scanner()
lance.write_dataset(scanner.to_reader(), sys.argv[1])
