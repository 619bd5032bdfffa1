

class Connector:
    """How the orchestrator is read. Any number of threads may use it at once."""

    credentials: Dict[str, Any] = {}

    def __init__(self) -> None:
        self._session = Session("setup")
        self._ends = weakref.finalize(self, self._session.close)

    def setup_connection(self) -> None:
        """Logs in."""
        self._session.open(self.credentials)

    def fetch_metadata(self, limit: int, offset: int) -> List[Dict[str, Any]]:
        """One page of jobs. Offset 0 begins a new reading, and every other page is cut from it."""
        assets: List[Dict[str, Any]] = self._ask("fetch_metadata", {"limit": limit, "offset": offset})["assets"]
        return assets

    def fetch_run_details(
        self,
        run_ids: Optional[Sequence[str]] = None,
        window_start: Optional[datetime.datetime] = None,
        window_end: Optional[datetime.datetime] = None,
        limit: int = 100,
        offset: int = 0,
    ) -> List[Dict[str, Any]]:
        """One page of runs: those with the ids, else those of the half-open window. Pages are as for jobs."""
        params: Dict[str, Any] = {"limit": limit, "offset": offset}
        if run_ids is not None:
            params["run_ids"] = [str(run_id) for run_id in run_ids]
        elif window_start is not None and window_end is not None:
            params["window_start"] = instant("window_start", window_start)
            params["window_end"] = instant("window_end", window_end)
        else:
            raise ValueError("fetch_run_details needs run_ids, or both window_start and window_end")
        runs: List[Dict[str, Any]] = self._ask("fetch_run_details", params)["runs"]
        return runs

    def close_connection(self) -> None:
        """Logs out; a second time does nothing."""
        self._session.close()

    def _ask(self, method: str, params: Dict[str, Any]) -> Dict[str, Any]:
        if not self._session.is_open:
            self.setup_connection()
        return self._session.ask(method, params)


def instant(name: str, moment: datetime.datetime) -> str:
    """A bound of the window with its offset."""
    if moment.utcoffset() is None:
        raise ValueError("%s has no time zone: %s" % (name, moment.isoformat()))
    return moment.isoformat()
