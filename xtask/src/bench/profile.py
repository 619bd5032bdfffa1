"""What `bowline profile --html` does in the benchmark, with ydata-profiling at the least that it does.

Reads a Parquet file, describes every column and writes a page. Correlations and interactions are left out.
"""

import sys

import pandas
from ydata_profiling import ProfileReport

table, page = sys.argv[1:3]
ProfileReport(pandas.read_parquet(table), minimal=True, progress_bar=False).to_file(page)
