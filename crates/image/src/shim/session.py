# How long the program may take, in seconds, and how much longer it is waited for before it is ended.
LOGIN_SECONDS = 60
ANSWER_SECONDS = 1800
PATIENCE_SECONDS = 15

# The most that one result may hold; more is an error of the statement, never a cut result.
MAX_ROWS = 1000000
MAX_BYTES = 128 * 1024 * 1024

# How many of the last lines that the program logged an error shows.
LAST_LINES = 12

T = TypeVar("T")

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.normpath(os.path.join(HERE, "..", "..", "bowline"))


class ConnectorError(Exception):
    """What the connector, its database or its vendor has to complain about.

    `kind` is the process protocol's word for it, such as `syntax` or `permission`; `sqlstate` is None where there is
    none.
    """

    def __init__(self, message: str, kind: str = "other", sqlstate: Optional[str] = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.sqlstate = sqlstate


class Lost(Exception):
    """The program ended without an answer."""


class Process:
    """One running `bowline serve`, asked by one thread at a time."""

    def __init__(self) -> None:
        command = [os.path.join(HOME, "bin", "bowline"), "serve", os.path.join(HERE, FOLDER), "--name", NAME]
        # The templates beside this file are those of the export.
        command.append("--without-templates")
        environment = dict(os.environ, BOWLINE_DRIVER_DIR=os.path.join(HOME, "drivers"))
        self.parent = os.getpid()
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                # A Ctrl-C is for the agent: the program ends when its input does.
                start_new_session=True,
            )
        except OSError as error:
            raise ConnectorError("cannot run connector `%s`: %s" % (NAME, error), kind="driver") from None
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        self._child, self._input, self._output, self._errors = child, child.stdin, child.stdout, child.stderr
        self._last_id = 0
        self._is_late = False
        self._logged: Deque[str] = collections.deque(maxlen=LAST_LINES)
        self._log = threading.Thread(target=self._read_log, daemon=True)
        self._log.start()

    def ask(self, method: str, params: Dict[str, Any], seconds: float) -> Dict[str, Any]:
        """One method's result."""
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        watch = threading.Timer(seconds + PATIENCE_SECONDS, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            self._input.write(json.dumps(request).encode("utf-8") + b"\n")
            self._input.flush()
            answer = self._answer()
        except (OSError, ValueError) as error:
            raise self._ended(method, seconds, error) from None
        finally:
            watch.cancel()
        if "result" not in answer:
            raise refusal(answer.get("error") or {})
        result: Dict[str, Any] = answer["result"]
        return result

    def end(self) -> None:
        """Ends the program; a second time does nothing."""
        if self.parent != os.getpid():
            # It belongs to the process this one was forked from.
            return
        for stream in (self._input, self._output):
            try:
                stream.close()
            except OSError:
                pass
        try:
            self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.join(timeout=2)
        self._errors.close()

    def _answer(self) -> Dict[str, Any]:
        while True:
            line = self._output.readline()
            if not line.endswith(b"\n"):
                raise ValueError("no answer")
            answer: Dict[str, Any] = json.loads(line)
            # Notifications have no id, and nobody waits for them.
            if answer.get("id") == self._last_id:
                return answer

    def _give_up(self) -> None:
        self._is_late = True
        self._child.kill()

    def _ended(self, method: str, seconds: float, error: Exception) -> Exception:
        if self._is_late:
            text = "connector `%s` gave no answer to `%s` within %d s" % (NAME, method, seconds)
            return ConnectorError(text, kind="timeout")
        try:
            self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._log.join(timeout=2)
        code = self._child.poll()
        how = "it ended with %s" % code if code is not None else str(error)
        return Lost("\n".join([how] + list(self._logged)))

    def _read_log(self) -> None:
        for line in self._errors:
            self._logged.append(line.decode("utf-8", "replace").rstrip())


class Session:
    """A login, kept by a program of its own. Any number of threads may ask; they take turns.

    A program that is lost is started again, once for each question.
    """

    def __init__(self, login: str) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._credentials: Optional[Dict[str, Any]] = None
        self._process: Optional[Process] = None

    @property
    def is_open(self) -> bool:
        """Whether somebody logged in before."""
        return self._credentials is not None

    def open(self, credentials: Dict[str, Any]) -> None:
        """Logs in; what was open before is closed."""
        with self._lock:
            self._credentials = dict(credentials)
            self._stop()
            self._twice(self._running)

    def ask(self, method: str, params: Dict[str, Any]) -> Dict[str, Any]:
        """One method's result."""
        seconds = params.get("timeout_ms", ANSWER_SECONDS * 1000) / 1000
        with self._lock:
            return self._twice(lambda: self._running().ask(method, params, seconds))

    def close(self) -> None:
        """Logs out once nobody asks any more; a second time does nothing."""
        with self._lock:
            self._stop()

    def _twice(self, act: Callable[[], T]) -> T:
        for is_last in (False, True):
            try:
                return act()
            except Lost as lost:
                self._stop()
                if is_last:
                    text = "connector `%s` was lost, and again after it was started anew: %s" % (NAME, lost)
                    raise ConnectorError(text, kind="connection") from None
            except ConnectorError as error:
                if error.kind not in ("connection", "timeout"):
                    raise
                # The program's own connection is of no more use; a login that fails says so at once.
                was_connected = self._process is not None
                self._stop()
                if is_last or error.kind == "timeout" or not was_connected:
                    raise
        raise AssertionError("the second try ends either way")

    def _running(self) -> Process:
        if self._process is not None and self._process.parent == os.getpid():
            return self._process
        self._process = None
        process = Process()
        try:
            process.ask("initialize", {"protocol": 1, "client": "bowline connector.py"}, LOGIN_SECONDS)
            process.ask(self._login, {"credentials": self._credentials or {}}, LOGIN_SECONDS)
        except BaseException:
            process.end()
            raise
        self._process = process
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def refusal(error: Dict[str, Any]) -> ConnectorError:
    """An answer's error."""
    data = error.get("data") or {}
    text = str(error.get("message") or "the connector gives no reason")
    if data.get("hint"):
        text += "\nhint: %s" % data["hint"]
    return ConnectorError(text, kind=data.get("kind") or "other", sqlstate=data.get("sqlstate"))
