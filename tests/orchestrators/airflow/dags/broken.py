"""A file of DAGs that Airflow cannot load; without these two words it would not try."""

raise RuntimeError("the shop is closed")
