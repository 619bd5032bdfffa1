use super::*;

const CONNECTOR: &str =
    "[driver]\nname = \"postgresql\"\n[dialect]\nextends = \"../../packs/greenplum\"";
const MANIFEST: &str =
    r#"{"credentials_schema": {"anyof": [{"passphrase_hint": {"type": "string"}}]}}"#;

/// A scan for a connector of the name `shop` with these credentials.
fn scan_for(credentials: &str) -> SecretScan {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    for (name, text) in [
        (layout::CONNECTOR_FILE, CONNECTOR),
        (layout::MANIFEST_FILE, MANIFEST),
        ("credentials.pg13.json", credentials),
    ] {
        std::fs::write(shop.join(name), text).unwrap();
    }
    SecretScan::of(&shop).unwrap()
}

#[test]
fn credentials_that_cannot_be_read_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(layout::CREDENTIALS_FILE);
    for (text, why) in [
        (&b"{\"password\": \"geheim\",}"[..], "not JSON: "),
        (b"\xFF\xFE{\0}\0", "UTF-16"),
        (b"\"\xFF\"", "UTF-8"),
    ] {
        std::fs::write(&path, text).unwrap();
        let told = SecretScan::of(dir.path()).unwrap_err().to_string();
        assert!(
            told.contains(why) && told.contains("credentials.json"),
            "{told}"
        );
        assert!(!told.contains("geheim"), "{told}");
    }
    for text in ["", "\u{feff}{}", "{\"connect_args\": {\"password\": \"\"}}"] {
        std::fs::write(&path, text).unwrap();
        assert!(SecretScan::of(dir.path()).is_ok(), "{text}");
    }
    std::fs::remove_file(&path).unwrap();
    for sample in ["example", "sample", "template_pg"] {
        let sample = dir.path().join(format!("credentials.{sample}.json"));
        std::fs::write(sample, "{\"password\": <yours>}").unwrap();
    }
    assert!(SecretScan::of(dir.path()).is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_has_no_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join(layout::CREDENTIALS_FILE);
    std::os::unix::fs::symlink("nowhere", link).unwrap();
    assert!(SecretScan::of(dir.path()).is_ok());
}

#[test]
fn a_value_of_the_credentials_is_found_in_any_writing() {
    for (credentials, name, text) in [
        // Short words and numbers.
        (r#"{"password": "geheim"}"#, "a.j2", "SELECT 'geheim'"),
        (r#"{"password": "geheim"}"#, "a.j2", "-- it is geheim."),
        (
            r#"{"password": "geheim"}"#,
            "a.json",
            r#"{"a": "x\ngeheim"}"#,
        ),
        (
            r#"{"password": "geheim"}"#,
            "a.json",
            r#"{"a": "\u0020geheim"}"#,
        ),
        (r#"{"password": "geheim"}"#, "a.j2", "x%20geheim%20y"),
        (r#"{"password": "geheim"}"#, "a.j2", "g%65heim"),
        (r#"{"password": "48151623"}"#, "a.j2", "LENGTH(48151623)"),
        (r#"{"password": "xy"}"#, "a.txt", "password=xy"),
        // Words with digits and signs, and long ones, also within others.
        (r#"{"password": "hunter2"}"#, "a.py", "prefix_hunter2x"),
        (
            r#"{"password": "correcthorsebattery"}"#,
            "a.py",
            "xcorrecthorsebatteryx",
        ),
        (
            r#"{"password": "Zq7/Sea&gull"}"#,
            "a.json",
            "Shop Zq7%2FSea%26gull",
        ),
        (
            r#"{"password": "Zq7/Sea&gull"}"#,
            "a.txt",
            "WnE3L1NlYSZndWxs",
        ),
        (
            r#"{"password": "Zq7/Sea&gull"}"#,
            "credentials_schema.json",
            r#"{"note": {"default": "Zq7/Sea&gull"}}"#,
        ),
        // Under keys that say nothing, and in connection strings.
        (r#"{"pin": "Zq7/Sea&gull"}"#, "a.j2", "'Zq7/Sea&gull'"),
        (
            r#"{"webhook": "https://h.example/T0/B0"}"#,
            "a.j2",
            "https://h.example/T0/B0",
        ),
        (
            r#"{"dsn": "Server=x;Uid=ann;Pwd=geheim"}"#,
            "a.j2",
            "geheim",
        ),
        (r#"{"uri": "pg://ann:geheim@db/x"}"#, "a.j2", "geheim"),
        // Public elsewhere, not in its own document.
        (r#"{"user": "ann", "password": "main"}"#, "a.j2", "'main'"),
    ] {
        let found = scan_for(credentials).find(Path::new(name), text);
        let what = found.map(|found| found.what);
        let expected = Some("a value of its credentials");
        assert_eq!(what.as_deref(), expected, "{credentials} {text}");
    }
}

#[test]
fn what_stands_in_files_by_chance_is_no_value_of_the_credentials() {
    let pack = "engine = \"PostgreSQL\"\nextends = \"postgres\"";
    for (credentials, name, text) in [
        (
            r#"{"user": "postgres", "password": "postgres"}"#,
            "pack.toml",
            pack,
        ),
        (
            r#"{"uri": "pg://postgres:postgres@db/x"}"#,
            "pack.toml",
            pack,
        ),
        (
            r#"{"uri": "pg://ann:shopdb@db/shopdb"}"#,
            "a.j2",
            "shopdb.t",
        ),
        (
            r#"{"dsn": "Server=x;Uid=sales;Pwd=sales"}"#,
            "a.j2",
            "sales.t",
        ),
        (
            r#"{"password": "greenplum"}"#,
            "pack.toml",
            "extends = \"greenplum\"",
        ),
        (
            r#"{"password": "postgresql"}"#,
            "a.toml",
            "name = \"postgresql\"",
        ),
        (
            r#"{"password": "shop"}"#,
            "manifest.json",
            r#"{"connection_name": "shop"}"#,
        ),
        (
            r#"{"password": "password"}"#,
            "manifest.json",
            r#"{"password": {"type": "string"}}"#,
        ),
        (
            r#"{"secret": "passphrase_hint"}"#,
            "manifest.json",
            MANIFEST,
        ),
        (
            r#"{"password": "test"}"#,
            "a.j2",
            "create_test_table latest test_1 \\latest",
        ),
        (
            r#"{"password": "postgres"}"#,
            "pack.toml",
            "engine = \"PostgreSQL\"",
        ),
        (r#"{"password": "1234"}"#, "a.j2", "VARCHAR(12345)"),
        (
            r#"{"password": "none", "token": "false"}"#,
            "a.j2",
            "none or false",
        ),
        // Under keys that say nothing.
        (r#"{"max_age": 3600}"#, "a.j2", "VARCHAR(3600)"),
        (
            r#"{"schema_name": "analytics"}"#,
            "a.toml",
            "schema = \"analytics\"",
        ),
        (
            r#"{"default_schema": "sales2024"}"#,
            "a.toml",
            "schema = \"sales2024\"",
        ),
        (
            r#"{"folder": "data/my-shop_eu"}"#,
            "a.j2",
            "data/my-shop_eu",
        ),
        (r#"{"mode": "strict1"}"#, "a.j2", "strict1"),
    ] {
        let found = scan_for(credentials).find(Path::new(name), text);
        assert_eq!(found, None, "{credentials} {text}");
    }
}

#[test]
fn files_that_hold_logins_are_known_by_their_names_and_their_form() {
    let found = |name: &str, text: &str| written(Path::new(name), text).map(|found| found.what);
    for (name, text, expected) in [
        (
            "my.cnf",
            "[client]\npassword=hunter2\n",
            "a secret under `password`",
        ),
        (
            ".pgpass",
            "# mine\ndb:5432:shop:ann:hunter2\n",
            "credentials",
        ),
        (
            ".netrc",
            "machine h login ann password hunter2",
            "credentials",
        ),
        (
            "run.sh",
            "set -e\nexport PGPASSWORD=hunter2\n",
            "a secret under `PGPASSWORD`",
        ),
        (
            "run.sh",
            "X=1 PGPASSWORD='hunter2' psql",
            "a secret under `PGPASSWORD`",
        ),
        (
            "run.sh",
            "psql --password=hunter2",
            "a secret under `password`",
        ),
        (
            "Dockerfile.extra",
            "ENV PGPASSWORD=hunter2\n",
            "a secret under `PGPASSWORD`",
        ),
        (
            "env.local",
            "DB_PASSWORD=hunter2\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "creds.json",
            r#"{"connect_args": {"token": "abc123"}}"#,
            "credentials",
        ),
        ("creds.json", r#"{"token": "abc123"}"#, "credentials"),
        (
            "creds.sh",
            "TOKEN=1\nDB_PASSWORD=hunter2\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "run.ps1",
            "$password='hunter2'",
            "a secret under `password`",
        ),
        (
            "prod.json",
            r#"{"connect_args": {"token": "abc123"}}"#,
            "credentials",
        ),
        (".credentials.json.swp", "b0VIM 9.0 \u{fffd}", "credentials"),
    ] {
        assert_eq!(
            found(name, text).as_deref(),
            Some(expected),
            "{name} {text}"
        );
    }
    for (name, text) in [
        (".pgpass", "# host:port:db:user:password\n\n"),
        (
            "credentials.py",
            "def read(): return load('credentials.json')\n",
        ),
        ("creds_help.md", "password=hunter2"),
        (
            "schema.json",
            r#"{"connect_args": {"type": "dict", "schema": {"token": {"type": "string"}}}}"#,
        ),
        ("creds.json", r#"{"connect_args": {"token": ""}}"#),
        ("creds.txt", "where the login is kept"),
        ("creds.ts", "export const token = read();"),
        ("credentials.so", "\0\0token\0"),
        (
            "connection.example.json",
            r#"{"connect_args": {"host": "db.example", "token": "<your token>", "session_key": "your-session-key"}}"#,
        ),
        (
            "settings.toml",
            "[connect_args]\noptions = \"-c search_path=x\"\nsslkey = \"client.pem\"\nauth = \"PLAIN\"",
        ),
        (
            "fields.json",
            r#"{"connect_args": {"token": {"description": "The token of the web page"}}}"#,
        ),
        ("creds.sh", "# It asks.\nPASSWORD=\"$1\"\n"),
        (
            "run.bat",
            "set /p PASSWORD=Type:\nset TOKEN_SECRET=!PASSWORD!",
        ),
        ("run.ps1", "$password=Read-Host\n$secret=.\\ask.ps1"),
        (
            "run.sh",
            "usage: run --password=PASSWORD --private-key=key.pem --secret=~/s PASSWORD=\\$x",
        ),
        (
            "run.sh",
            "export PGPASSWORD=$1\nPASSWORD=\"$(cat f)\" PASSWD=/etc/passwd\n# PGPASSWORD=hunter2\n\
             if [ \"$PASSWORD\" = \"\" ]; then echo --password=<yours>; fi\nAPI_KEY=${API_KEY} SECRET=",
        ),
    ] {
        assert_eq!(found(name, text), None, "{name} {text}");
    }
}

#[test]
fn what_is_written_down_is_seen_and_what_is_asked_for_is_not() {
    let found = |name: &str, text: &str| written(Path::new(name), text).map(|found| found.what);
    for (name, text, expected) in [
        (
            "connector.toml",
            "[driver.options]\npassword = \"hunter2\"",
            "a secret under `password`",
        ),
        (
            "connector.toml",
            "[driver.options]\nuri = \"pg://ann:hunter2@db/x\"",
            "a secret under `uri`",
        ),
        (
            "connector.toml",
            "[driver.options]\nuri = \"pg://{{ user | uri_encode }}:hunter2@{{ host }}/x\"",
            "a secret under `uri`",
        ),
        (
            "connector.toml",
            "[driver]\nurl = \"pg://{{ user }}:{{ password | default('hunter2') }}@{{ host }}/x\"",
            "a secret under `url`",
        ),
        (
            "connector.toml",
            "[driver.options]\npassword = \"{{ password or 'hunter2' }}\"",
            "a secret under `password`",
        ),
        (
            "connector.toml",
            "connection_string = \"Driver={My SQL};Server={{ host }};UID={{ user }};PWD=hunter2\"",
            "a secret under `connection_string`",
        ),
        (
            "connector.toml",
            "pwd = \"{{ password | trim | d('hunter2') }}\"",
            "a secret under `pwd`",
        ),
        (
            "connector.toml",
            "pwd = \"{{ password | default(value='hunter2') }}\"",
            "a secret under `pwd`",
        ),
        (
            "connector.toml",
            "pwd = \"{{ credentials['password'] or 'hunter2' }}\"",
            "a secret under `pwd`",
        ),
        (
            "settings.yaml",
            "url: pg://ann:${DB_PASSWORD:-hunter2}@db/x\n",
            "a secret under `url`",
        ),
        (
            "connector.toml",
            "value = \"Basic YW5uOmh1bnRlcg==\"",
            "a secret under `value`",
        ),
        (
            "connector.toml",
            "url = \"https://x/y?password=%40hunter\"",
            "a secret under `url`",
        ),
        (
            "connector.toml",
            "[http]\nbase_url = \"https://{{ host }}/v1?api_key=k-1234567\"",
            "a secret under `base_url`",
        ),
        (
            "connector.toml",
            "[http]\nauth = { kind = \"header\", value = \"Bearer k-1234567\" }",
            "a secret under `value`",
        ),
        (
            "settings.yaml",
            "url: pg://${DB_USER}:hunter2@db/x\n",
            "a secret under `url`",
        ),
        (
            "credentials.json.bak",
            r#"{"connect_args": {"pin": "12345"}}"#,
            "credentials",
        ),
        ("credentials.old", "not JSON", "credentials"),
        (
            "prod.env",
            "# x\nDB_PASSWORD=hunter2\n",
            "a secret under `DB_PASSWORD`",
        ),
        (
            "settings.yaml",
            "db:\n  api_key: 'k-123456'\n",
            "a secret under `api_key`",
        ),
        (
            "key.txt",
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n",
            "a private key",
        ),
        (
            "connector.toml",
            "[driver]\ninit = [\"CREATE SECRET s (TYPE http, BEARER_TOKEN 'abc')\"]",
            "a secret in a statement",
        ),
        (
            "templates.toml",
            "# as on postgres://bob:pa55word@host/x\n",
            "a secret in an address",
        ),
        (
            "manifest.json",
            r#"{"example": "postgres://ann:hun(ter2@db/x"}"#,
            "a secret under `example`",
        ),
        (
            "manifest.json",
            r#"{"note": "as on https://docs/x, pg://ann:hunter2@db"}"#,
            "a secret under `note`",
        ),
        (
            "templates.toml",
            "# SET TOKEN 'abc', BEARER_TOKEN 'abc'",
            "a secret in a statement",
        ),
        (
            "templates.toml",
            "# create user x with password 'hunter2'",
            "a secret in a statement",
        ),
        (
            "get_length.sql.j2",
            "alter user x\n  password 'hunter2'",
            "a secret in a statement",
        ),
        (
            "templates.toml",
            "# password = 'hunter2'",
            "a secret in a statement",
        ),
        (
            "get_length.sql.j2",
            "ALTER USER x IDENTIFIED BY 'hunter2'",
            "a secret in a statement",
        ),
        (
            "credentials_schema.json",
            r#"{"connect_args": {"schema": {"password": {"type": "string", "default": "hunter2"}}}}"#,
            "a secret under `password`",
        ),
    ] {
        assert_eq!(found(name, text).as_deref(), Some(expected), "{name}");
    }
    for (name, text) in [
        (
            "connector.toml",
            "[driver.options]\npassword = \"{{ password }}\"\nuri = \"pg://{{ user }}:{{ password }}@db\"",
        ),
        (
            "connector.toml",
            "uri = \"pg://{{ user | uri_encode }}{% if password is defined %}:{{ password | uri_encode }}{% endif %}@{{ host }}\"",
        ),
        (
            "connector.toml",
            "dsn = \"Driver={My SQL};UID={{ user }};PWD={{ password | default('') }};Trusted={{ x | default('yes') }}\"",
        ),
        (
            "connector.toml",
            "value = \"Bearer {{ credentials.api_key }}\"\nnote = \"Basic authentication\"\nurl = \"https://x/y?api_key={{ api_key }}\"",
        ),
        (
            "connector.toml",
            "[http.auth]\ntoken_path = \"/token\"\npassword_field = \"secret_word\"",
        ),
        (
            "manifest.json",
            r#"{"credentials_schema": {"connect_args": {"type": "dict", "schema": {"password": {"type": "string"}}}}}"#,
        ),
        (
            "credentials.json.example",
            r#"{"connect_args": {"password": ""}}"#,
        ),
        ("sample.env", "DB_PASSWORD=\nAPI_KEY=${API_KEY}\n"),
        (
            "ca.pem",
            "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
        ),
        ("connector.py", "password = credentials['password']\n"),
        (
            "credentials_schema.json",
            r#"{"connect_args": {"schema": {"password": {"type": "string", "default": ""}}}}"#,
        ),
        (
            "connector.toml",
            "# postgres://user:password@host, https://x:8080/@a\n[driver]\ninit = [\"SET password = '{{ password }}'\", \"SECRET '<yours>'\"]",
        ),
        (
            "manifest.json",
            r#"{"example": "postgres://user:password@host/db", "url": "https://host:8443/u?m=a@b",
                "note": "http://x:80 or a@b"}"#,
        ),
        ("connector.toml", "savepassword = \"false\""),
        (
            "connector.toml",
            "dsn = \"Driver={x};Server=y;EncryptPassword=2;trustStorePassword=changeit;Pwd=$PWD\"",
        ),
        (
            "connector.toml",
            "a = \"https://x/y?api_key=%s\"\nb = \"https://x/y?api_key=YOUR_KEY\"\nc = \"https://x/y?api_key=x\"",
        ),
        (
            "connector.toml",
            "a = \"Basic 2\"\nb = \"Basic Auth\"\nc = \"Basic S0\"\nd = \"Bearer 2\"\ne = \"Bearer $TOKEN_1\"",
        ),
        (
            "connector.toml",
            "password = \"{{ password if mode == 'basic' or 'key' in headers }}\"",
        ),
        ("settings.yaml", "savepassword: off\n"),
        (
            "templates.toml",
            "# the vendor calls the next page's token 'nextToken', and its secret 'word'",
        ),
        (
            "get_x.sql.j2",
            "{# its token 'nextToken' #}\n-- a token 'x'",
        ),
        (
            "templates.toml",
            "get_x = '''\nSELECT 'password', token = 'x' FROM t'''",
        ),
    ] {
        assert_eq!(found(name, text), None, "{name}");
    }
}
