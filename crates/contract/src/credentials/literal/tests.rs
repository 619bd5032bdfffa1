use std::path::{Path, PathBuf};

use super::super::SecretScan;

/// What a scan without credentials of its own says of a file.
fn found(name: &str, text: &str) -> Option<(String, usize)> {
    let dir = tempfile::tempdir().unwrap();
    let found = SecretScan::of(dir.path())
        .unwrap()
        .find(Path::new(name), text);
    found.map(|found| (found.what, found.line))
}

/// A password as generators make them.
const K: &str = "Zq8wLr27TnVx";

#[test]
fn what_is_written_into_texts_is_found() {
    for (name, text, what) in [
        // In any text.
        (
            "connector.py",
            "import x\nURL = \"postgresql://svc:§@db.internal:5432/x\"\n",
            "a secret in an address",
        ),
        (
            "connector.py",
            "import x\n# once: postgresql://svc:§@db.internal/x\n",
            "a secret in an address",
        ),
        (
            "notes.txt",
            "log in at postgresql://svc:§@db/x\n",
            "a secret in an address",
        ),
        (
            "README.md",
            "As on <https://bot:§@nexus.internal/simple>\n",
            "a secret in an address",
        ),
        (
            "run.sh",
            "psql \"postgres://u:§@h/x\"\n",
            "a secret in an address",
        ),
        (
            "Dockerfile.extra",
            "RUN pip config set global.index-url https://bot:§@nexus.internal/simple\n",
            "a secret in an address",
        ),
        (
            "requirements.txt",
            "six @ https://x.internal/s.whl?token=§\n",
            "a secret in an address",
        ),
        (
            "a.py",
            "import x\nURL=\"https://api.x.io/v1/jobs?limit=1&api_key=§\"\n",
            "a secret in an address",
        ),
        (
            "a.py",
            "import x\nCS = \"Driver={ODBC Driver 18 for SQL Server};Server=tcp:x,1433;Uid=sa;Pwd=§;\"\n",
            "a secret in a connection string",
        ),
        (
            "a.txt",
            "Driver={ODBC Driver 18 for SQL Server};Server=tcp:x,1433;Uid=sa;Pwd=§;Encrypt=yes;\n",
            "a secret in a connection string",
        ),
        (
            "a.txt",
            "the dsn: Server=tcp:x,1433;Uid=sa;Pwd=§;Encrypt=yes;\n",
            "a secret in a connection string",
        ),
        (
            "a.py",
            "import x\nc=x.connect(\"host=db user=svc password=§ dbname=x\")\n",
            "a secret in a connection string",
        ),
        (
            "a.py",
            "import x\nH = {\"Authorization\": \"Bearer §a9\"}\n",
            "an `Authorization` header",
        ),
        (
            "a.py",
            "import x\nH = {\"Authorization\": f\"Bearer §a9\"}\n",
            "an `Authorization` header",
        ),
        (
            "run.sh",
            "curl -H 'Authorization: Bearer §' https://x\n",
            "an `Authorization` header",
        ),
        (
            "a.http",
            "GET https://x\nAuthorization: Basic c3ZjOlpxOHdMcjI3VG5WeA==\n",
            "an `Authorization` header",
        ),
        // Behind names, in programs.
        (
            "a.py",
            "import x\nPASSWORD = \"§\"\n",
            "a secret under `PASSWORD`",
        ),
        (
            "a.py",
            "import x\nPASSWORD: str = '§'\n",
            "a secret under `PASSWORD`",
        ),
        (
            "a.py",
            "LOGIN = {\"user\": \"svc\", \"password\": \"§\"}\nimport x\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "PW = os.environ.get(\"DB_PASSWORD\", \"§\")\nimport x\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "a.py",
            "x = os.getenv(\"PGPASSWORD\", default=\"§\")\nimport x\n",
            "a secret under `PGPASSWORD`",
        ),
        (
            "a.py",
            "x = os.environ[\"DB_PASSWORD\"] or \"§\"\nimport x\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "a.py",
            "x = c.get(\"password\") or \"§\"\nimport x\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "os.environ[\"DB_PASSWORD\"] = \"§\"\nimport x\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "a.py",
            "os.environ.setdefault(\"DB_PASSWORD\", \"§\")\nimport x\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "a.py",
            "connect(host=\"h\", password=r\"§\")\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "self._password = \"§\"\nimport x\n",
            "a secret under `_password`",
        ),
        (
            "a.py",
            "p.add_argument(\"--password\", default=\"§\")\nimport x\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "password: str = field(default=\"§\")\nimport x\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "api_key: SecretStr = SecretStr(\"§\")\nimport x\n",
            "a secret under `api_key`",
        ),
        (
            "a.py",
            "def connect(user=\"svc\", password=\"§\"):\n    pass\n",
            "a secret under `password`",
        ),
        (
            "a.py",
            "import x\nGITHUB_TOKEN = \"ghp_§\"\n",
            "a secret under `GITHUB_TOKEN`",
        ),
        (
            "a.js",
            "const password = process.env.PASSWORD || '§';\n",
            "a secret under `PASSWORD`",
        ),
        ("a.go", "password := \"§\"\n", "a secret under `password`"),
        // In scripts and images.
        (
            "run.sh",
            "curl -u admin:§ https://x/api\n",
            "a secret under `-u`",
        ),
        (
            "run.sh",
            "sqlcmd -S x -U sa -P § -Q \"select 1\"\n",
            "a secret under `-P`",
        ),
        ("run.sh", "mysql -uroot -p§ x\n", "a secret under `-p`"),
        (
            "run.sh",
            "get --http-password § https://x\n",
            "a secret under `--http-password`",
        ),
        (
            "Dockerfile.extra",
            "ENV PGPASSWORD §\n",
            "a secret under `PGPASSWORD`",
        ),
        (
            "Dockerfile.extra",
            "ENV GITHUB_TOKEN=ghp_§\n",
            "a secret under `GITHUB_TOKEN`",
        ),
        (
            "Dockerfile.extra",
            "RUN echo \"machine h login ann password §\" > ~/.netrc\n",
            "a secret under `password`",
        ),
        (
            "settings.xml",
            "<server><username>u</username><password>§</password></server>\n",
            "a secret under `password`",
        ),
    ] {
        let text = text.replace('§', K);
        let what_found = found(name, &text).map(|(what, _)| what);
        assert_eq!(what_found.as_deref(), Some(what), "{name}: {text}");
    }
    let text = "import x\n\nPASSWORD = 'Zq8wLr27TnVx'\n";
    assert_eq!(found("a.py", text).unwrap().1, 3);
}

#[test]
fn what_texts_say_of_secrets_is_none() {
    let python = "\
# postgresql://user:password@host/db, postgresql://scott:tiger@db.internal/x, PASSWORD = 'Zq8wLr27TnVx'
\"\"\"Connects to `postgresql://user:p4ssw0rd@host/db`.

>>> connect(password=\"Zq8wLr27TnVx\")
mysql://root:Zq8wLr27TnVx@localhost:3306/x, http://a:Zq8wLr27TnVx@db.example.com/x, Pwd=MyS3cret;
Authorization: Bearer h480djs93hd8
\"\"\"
PASSWORD = os.environ[\"DB_PASSWORD\"]
PASSWORD = os.environ.get(\"DB_PASSWORD\", \"\")
PASSWORD = os.environ.get(\"DB_PASSWORD\", \"changeme\")
URL = f\"postgresql://{user}:{password}@{host}/{name}\"
URL = \"postgresql://%(user)s:%(password)s@%(host)s/x\" % credentials
URL = \"postgresql://{}:{}@{}/x\".format(user, password1, host)
URL = \"postgresql://svc:${PW2}@db/x\"
CS = f\"Driver={{ODBC}};Server={host};Uid={user};Pwd={credentials['pw1']};\"
CS = \"DRIVER={X};SERVER=\" + host + \";UID=\" + user + \";PWD=\" + password1
CS = \"host=localhost user=svc password=Zq8wLr27TnVx\"
HEADERS = {\"Authorization\": \"Bearer \" + token1, \"X\": f\"Bearer {self.token1}\", \"Y\": \"Bearer %s\" % t}
HEADERS = {\"Authorization\": \"Bearer abc123...\", \"WWW-Authenticate\": \"Basic realm2 charset1\"}
HEADERS = {\"Authorization\": \"Basic dXNlcjpwYXNzd29yZA==\"}
password = \"<your password 1>\"
password = \"password1\"
password = \"secret\"
password = \"hunter\"
password = \"xxxx1234\"
password = \"test1234\"
password = \"\"
password = \"The password of the user, 8 to 20 letters\"
password_field = \"input9fieldname3\"
password = \"input[name=pw2]\"
password = \"$.data.pw2\"
password = \"/run/keys/pw2\"
password = \"{password}\"
secret = \"aes-256-gcm\"
SECRET = \"sha256\"
page_token = \"Zq8wLr27TnVx\"
next_token, tokenizer, token_url = \"Zq8wLr27TnVx\", \"cl100k_base\", \"https://login.x.io/oauth2/v2.0/token\"
NEXT_TOKEN = \"nextPageToken22\"
PAD_TOKEN = \"Zq8wLr27TnVx\"
CSRF_TOKEN = \"csrfmiddlewaretoken1\"
csrf = {\"csrf_token\": \"Zq8wLr27TnVx\"}
URL = \"https://api.x.io/v1/jobs?page_token=Zq8wLr27TnVx&next_token=Zq8wLr27TnVx\"
URL = \"https://api.x.io/v1/jobs?api_key={api_key}\" + \"&token=%s\"
if password == \"Zq8wLr27TnVx\": pass
SCHEMA = {\"password\": {\"type\": \"string\"}, \"api_key\": {\"type\": \"string\", \"required\": True}}
rows = [(\"password\", \"varchar255x\"), (\"secret\", \"bigint64x\")]
print(\"password\", \"Zq8wLr27TnVx\")
ENCRYPT_PASSWORD = \"aes256ctr\"
uuid_of_key = \"550e8400-e29b-41d4-a716-446655440000\"
";
    for line in python.lines() {
        // Each alone too, but for the lines of the documentation.
        if !line.starts_with(">>>") && !line.starts_with("Authorization") {
            let text = format!("import x\n{line}\n");
            assert_eq!(found("a.py", &text), None, "{line}");
        }
    }
    assert_eq!(found("connector.py", python), None);
    for (name, text) in [
        (
            "run.sh",
            "psql \"postgres://$USER:$PW2@h/x\"\ncurl -u \"$USER:$PW2\" -H \"Authorization: Bearer $TOKEN1\" https://x\n",
        ),
        (
            "run.sh",
            "sqlcmd -P \"$PW2\"\nmysql -p -h db.x2 -P 3306 shop2db9\nssh -p 22 h2\ncp -p a1b2c3d4 x\n",
        ),
        (
            "run.sh",
            "tool --password PASSWORD --password-file pw2.txt --http-password \"${PW2}\"\n",
        ),
        (
            "run.sh",
            "echo \"usage: tool --password <password1>\"\n# curl --password Zq8wLr27TnVx\n",
        ),
        (
            "Dockerfile.extra",
            "ENV PGPASSFILE /run/pgpass9a\nENV NEXT_TOKEN=page22token33\nARG PASSWORD\nENV TOKENIZERS_PARALLELISM=false\n",
        ),
        (
            "Dockerfile.extra",
            "RUN curl -fsSL https://h.io/key2.gpg | gpg --dearmor -o /usr/share/keyrings/x9.gpg\n",
        ),
        (
            "requirements.txt",
            "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254\n",
        ),
        (
            "requirements.txt",
            "--index-url https://${USER}:${TOKEN2}@nexus.internal/simple\n",
        ),
        (
            "settings.xml",
            "<password>${env.PW2}</password>\n<password>changeme1</password>\n<password/>\n",
        ),
        (
            "notes.md",
            "Give the password: Zq8 and so on. A `Bearer` token2 is 20 letters long. Basic usage2 follows.\n",
        ),
        (
            "README.md",
            "[![codecov](https://codecov.io/gh/x/branch/main/graph/badge.svg?token=yt4XSmQNKQ)](https://codecov.io)\n",
        ),
        (
            "notes.md",
            "GET https://api.x.io/v2/runs?token=<token>&sig=...\n",
        ),
    ] {
        assert_eq!(found(name, text), None, "{name}: {text}");
    }
}

/// Texts that are known to hold nothing: what this repository gives its users, and what its tests take for right.
#[test]
fn no_text_of_this_repository_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut ahead: Vec<PathBuf> = [
        "examples",
        "dialects",
        "tests/fixtures",
        "docs",
        "crates/warehouse/src/scaffold",
    ]
    .map(|folder| root.join(folder))
    .into();
    let mut count = 0;
    while let Some(path) = ahead.pop() {
        if path.is_dir() {
            ahead.extend(path.read_dir().unwrap().flatten().map(|entry| entry.path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            count += 1;
            let name = path.file_name().unwrap().to_str().unwrap();
            assert_eq!(found(name, &text), None, "{}", path.display());
        }
    }
    assert!(count > 100, "{count}");
}
