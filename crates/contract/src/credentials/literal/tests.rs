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
fn what_is_sure_is_found() {
    let address = "a secret in an address";
    let of_program = [
        ("PASSWORD = \"§\"", "PASSWORD"),
        ("PASSWORD: str = '§'", "PASSWORD"),
        ("password: Optional[str] = '§'", "password"),
        ("self._password = r\"§\"  # it's ours", "_password"),
        ("db_pwd = '§'", "db_pwd"),
        ("args = {\"api_key\": \"§\"}", "api_key"),
        ("os.environ[\"X_PASSWORD\"] = \"§\"", "X_PASSWORD"),
        ("x = os.environ.get(\"X_PASSWORD\", \"§\")", "X_PASSWORD"),
        ("x = os.getenv(\"GITHUB_TOKEN\", 'ghp_§')", "GITHUB_TOKEN"),
        ("def connect(user=\"svc\", password=\"§\"):", "password"),
        ("note = \"it's '''\"; password = \"§\"", "password"),
        ("note = '\"\"\"'; password = '§'", "password"),
        (
            "client_secret = '9f86d081-884c-7d65-9a2f-eaa0c55ad015'",
            "client_secret",
        ),
        ("passwd = 'kX9fQmvTrLpw'", "passwd"),
    ];
    for (line, name) in of_program {
        let text = format!("import x\n\n{line}\n").replace('§', K);
        let what = format!("a secret under `{name}`");
        assert_eq!(found("a.py", &text), Some((what, 3)), "{line}");
    }
    for (name, text, what) in [
        (
            "a.py",
            "# once: postgresql://svc:§@db.internal:5432/x",
            address,
        ),
        (
            "a.py",
            "\"\"\"\npostgresql://{user}:§@db.internal/x\"\"\"",
            address,
        ),
        (
            "notes.txt",
            "log in at postgresql://svc:§@10.2.3.4/x",
            address,
        ),
        (
            "README.md",
            "As on <https://bot:§@nexus.internal/simple>",
            address,
        ),
        (
            "run.sh",
            "psql \"postgres://$USER:§@shop.internal/x\"",
            address,
        ),
        (
            "requirements.txt",
            "--index-url https://bot:§@nexus.internal/simple",
            address,
        ),
        (
            "Dockerfile.extra",
            "RUN pip config set global.index-url https://bot:§@nexus.internal/simple",
            address,
        ),
        (
            "a.py",
            "CS = \"Driver={ODBC Driver 18};Server=tcp:sql.internal,1433;Uid=sa;Pwd=§;\"",
            "a secret in a connection string",
        ),
        (
            "a.py",
            "H = {\"Authorization\": \"Bearer §Zq8wLr27TnVx\"}",
            "an `Authorization` header",
        ),
        (
            "a.js",
            "/* it's */ const password = '§';",
            "a secret under `password`",
        ),
        (
            "a.ts",
            "let password: string = `§`;",
            "a secret under `password`",
        ),
        (
            "a.go",
            "password := \"§\" // x",
            "a secret under `password`",
        ),
        (
            "Dockerfile.extra",
            "ENV PGPASSWORD §",
            "a secret under `PGPASSWORD`",
        ),
        (
            "Dockerfile.extra",
            "ENV A=1 \\\n  GITHUB_TOKEN=\"ghp_§\"",
            "a secret under `GITHUB_TOKEN`",
        ),
    ] {
        // A file of nothing but assignments is read as settings.
        let first = if name == "a.py" { "import x\n" } else { "" };
        let text = format!("{first}{text}").replace('§', K);
        let what_found = found(name, &text).map(|(what, _)| what);
        assert_eq!(what_found.as_deref(), Some(what), "{name}: {text}");
    }
}

#[test]
fn what_texts_say_of_secrets_is_none() {
    let lines = "\
# PASSWORD = 'Zq8wLr27TnVx'
password = \"eyJhbGciOiJIUzI1NiJ9...\"
H = {\"Authorization\": \"Bearer eyJhbGciOiJIUzI1NiJ9Zq8wLr27TnVx...\"}
H = {\"Authorization\": \"Bearer eyJhbGciOiJIUzI1NiJ9Zq8wLr27TnVx…\"}
H = {\"Authorization\": \"Bearer \" + token1, \"X\": f\"Bearer {self.token1_of_the_connector}\"}
secret = \"OAuth2Session\"
secret = \"RFC6750-style\"
password = \"varchar2\"
secret = \"blake2b-512\"
api_key = \"float64\"
private_key = \"ed25519\"
password = \"hunter2\"
password = \"abcd1234\"
password = \"1a2b3c4d\"
password = \"p4ssw0rd1\"
password = \"contraseña2\"
password = \"your-password-1x2y3z\"
password = \"<Zq8wLr27TnVx>\"
password = \"${Zq8wLr27TnVx}\"
password = f\"{Zq8wLr27TnVx}\"
password = \"{password}\"
password = os.environ[\"Zq8wLr27TnVx\"]
password = load(\"Zq8wLr27TnVx\")
URL = \"postgresql://admin:admin123@myhost/x\"
URL = \"postgresql://app:app123@postgres/x\"
URL = \"postgresql://app:app12345@db.internal/x\"
URL = \"postgresql://app:Zq8wLr27TnVx@localhost:5432/x\"
URL = \"postgresql://app:Zq8wLr27TnVx@db.example.com/x\"
URL = \"postgresql://app:Zq8wLr27TnVx@server:5432/x\"
URL = \"postgresql://app:Zq8wLr27TnVx@myhost.com/x\"
URL = f\"postgresql://app:Zq8wLr27TnVx@{host}/x\"
URL = f\"postgresql://{user}:{password1}@db.internal/x\"
URL = \"postgresql://%(user)s:%(password1)s@db.internal/x\"
URL = \"postgresql://svc:${PASSWORD12}@db.internal/x\"
CS = f\"Driver={{X}};Server={host};Uid={user};Pwd={credentials['pw1']};\"
CS = \"Server=localhost;Uid=sa;Pwd=Zq8wLr27TnVx;\"
SUMS = {\"AWS::ApiGateway::ApiKey\": \"9f86d081884c7d659a2feaa0c55ad015\"}
page_token = \"Zq8wLr27TnVx\"
NEXT_PAGE_TOKEN = \"Zq8wLr27TnVx\"
token_url = \"Zq8wLr27TnVx\"
if password == \"Zq8wLr27TnVx\": pass
if password: name = \"Zq8wLr27TnVx\"
rows = [(\"password\", \"Zq8wLr27TnVx\")]
password, name = None, \"Zq8wLr27TnVx\"
print(\"password\", \"Zq8wLr27TnVx\")
x = '''
password = \"Zq8wLr27TnVx\"
it's here'''
";
    assert_eq!(found("a.py", lines), None);
    for line in lines.lines().take_while(|line| *line != "x = '''") {
        assert_eq!(found("a.py", &format!("import x\n{line}")), None, "{line}");
    }
    let packed = format!(
        "var a=1;{}e={{password:\"Zq8wLr27TnVx\"}};",
        "f(1);".repeat(1_000)
    );
    for (name, text) in [
        ("a.min.js", packed.as_str()),
        (
            "a.js",
            "// password = \"Zq8wLr27TnVx\"\n/*\npassword = \"Zq8wLr27TnVx\" */",
        ),
        (
            "a.json",
            "{\"AWS::ApiGateway::ApiKey\": \"9f86d081884c7d659a2feaa0c55ad015\"}",
        ),
        (
            "run.sh",
            "kubectl get secret Zq8wLr27TnVx\ntool --secret Zq8wLr27TnVx",
        ),
        ("settings.xml", "<password>Zq8wLr27TnVx</password>"),
        (
            "notes.md",
            "The password: Zq8wLr27TnVx. password = \"Zq8wLr27TnVx\"",
        ),
        (
            "notes.md",
            "https://x.blob.internal/a?sig=Zq8wLr27TnVx&token=Zq8wLr27TnVx",
        ),
        (
            "Dockerfile.extra",
            "# ENV PGPASSWORD Zq8wLr27TnVx\nENV PGPASSFILE /run/pg9a8b7c\nENV NEXT_TOKEN=Zq8wLr27TnVx\nENV PGPASSWORD $PW12345678x\n",
        ),
        (
            "requirements.txt",
            "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254",
        ),
        (
            "package-lock.json",
            "{\"resolved\": \"git+ssh://git@github.com/x/y.git#9f86d081884c7d65\", \"integrity\": \"sha512-Zq8wLr27TnVx==\"}",
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"secret\"\nchecksum = \"9f86d081884c7d659a2feaa0c55ad015\"\n",
        ),
    ] {
        assert_eq!(found(name, text), None, "{name}: {text}");
    }
}

/// Each would take minutes if a line's rest were searched for each of its marks.
#[test]
fn long_lines_are_searched_once() {
    let fillings = "x=${A} ".repeat(40_000) + &"y".repeat(800_000);
    for mark in [">", "'", "${"] {
        let text = fillings.clone() + &mark.repeat(10_000);
        for name in ["a.sql", "a.env", "a.py"] {
            assert_eq!(found(name, &text), None, "{name} {mark}");
        }
    }
}

/// Texts that are known to hold nothing: what this repository gives its users, and what its tests take for right.
#[test]
fn no_text_of_this_repository_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = [
        "examples",
        "dialects",
        "tests/fixtures",
        "docs",
        "crates/warehouse/src/scaffold",
    ];
    let mut ahead: Vec<PathBuf> = folders.map(|folder| root.join(folder)).into();
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
