use super::*;

/// Reads options in a folder, with an environment.
fn read(options: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Parameters, SqlError> {
    let options = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Parameters::read(Path::new("/w s"), &options, &|name| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn of_uri(uri: &str) -> Parameters {
    match read(&[("uri", uri)], &[("USER", "me")]) {
        Ok(parameters) => parameters,
        Err(error) => panic!("{uri}: {error}"),
    }
}

fn host(name: &str, port: u16) -> Host {
    Host {
        name: name.to_owned(),
        address: None,
        port,
    }
}

#[test]
fn a_uri_and_pairs_say_the_same() {
    for text in [
        "postgresql://u%40x:p%3Aw%2F@h:6432/d%20b?sslmode=require&application_name=a+b",
        "postgres://h:6432/d%20b?user=u%40x&password=p:w/&sslmode=require&application_name=a+b",
        r"host=h port=6432 user=u@x password='p:w/' dbname = 'd b' sslmode=require application_name=a+b",
    ] {
        let read = of_uri(text);
        assert_eq!(read.hosts, [host("h", 6432)], "{text}");
        assert_eq!(
            (read.user.as_str(), read.database.as_str()),
            ("u@x", "d b"),
            "{text}"
        );
        assert_eq!(read.password.as_deref(), Some("p:w/"), "{text}");
        assert_eq!(read.tls.mode, SslMode::Require, "{text}");
        assert!(
            read.session
                .contains(&("application_name", "a+b".to_owned())),
            "{text}"
        );
        assert!(
            read.session
                .contains(&("client_encoding", "UTF8".to_owned())),
            "{text}"
        );
    }
}

#[test]
fn servers_are_one_or_several() {
    for (text, hosts) in [
        ("postgresql://h", vec![host("h", 5432)]),
        (
            "postgresql://a:1,b,c:3/d",
            vec![host("a", 1), host("b", 5432), host("c", 3)],
        ),
        ("postgresql://[::1]:7/d", vec![host("::1", 7)]),
        ("postgresql://%2Fvar%2Frun/d", vec![host("/var/run", 5432)]),
        (
            "postgresql:///d?host=/var/run,h&port=7",
            vec![host("/var/run", 7), host("h", 7)],
        ),
        (
            "host=h hostaddr=10.0.0.1",
            vec![Host {
                address: Some("10.0.0.1".parse().unwrap()),
                ..host("h", 5432)
            }],
        ),
    ] {
        assert_eq!(of_uri(text).hosts, hosts, "{text}");
    }
}

#[test]
fn the_environment_fills_in_what_nobody_says() {
    let environment = [
        ("PGHOST", "h"),
        ("PGPORT", "7"),
        ("PGUSER", "u"),
        ("PGPASSWORD", "w"),
        ("PGSSLMODE", "disable"),
        ("USER", "me"),
    ];
    let Ok(filled) = read(&[], &environment) else {
        panic!("not read");
    };
    assert_eq!(filled.hosts, [host("h", 7)]);
    assert_eq!((filled.user.as_str(), filled.database.as_str()), ("u", "u"));
    assert_eq!(filled.password.as_deref(), Some("w"));
    assert_eq!(filled.tls.mode, SslMode::Disable);
    let options = [("uri", "postgresql://a@x/d"), ("user", "b"), ("port", "")];
    let Ok(said) = read(&options, &environment) else {
        panic!("not read");
    };
    assert_eq!((said.user.as_str(), said.database.as_str()), ("b", "d"));
    assert_eq!(said.hosts, [host("x", 7)]);
}

#[test]
fn files_begin_in_the_folder() {
    let read = of_uri(
        "postgresql://h/d?sslmode=verify-ca&sslrootcert=ca.pem&sslcert=/x/c.pem&sslkey=k.pem&passfile=p",
    );
    assert_eq!(read.tls.roots, Some(Roots::File("/w s/ca.pem".into())));
    assert_eq!(
        read.tls.shown,
        Some(("/x/c.pem".into(), "/w s/k.pem".into()))
    );
    assert_eq!(read.passwords, Some("/w s/p".into()));
}

#[test]
fn how_much_is_proven_follows_the_mode_and_the_roots() {
    for (text, mode, proof) in [
        ("host=h", SslMode::Prefer, Proof::None),
        ("host=h sslmode=require", SslMode::Require, Proof::None),
        (
            "host=h sslmode=require sslrootcert=c",
            SslMode::Require,
            Proof::Chain,
        ),
        (
            "host=h sslmode=prefer sslrootcert=c",
            SslMode::Prefer,
            Proof::None,
        ),
        (
            "host=h sslmode=verify-ca sslrootcert=c",
            SslMode::VerifyCa,
            Proof::Chain,
        ),
        (
            "host=h sslmode=verify-full sslrootcert=c",
            SslMode::VerifyFull,
            Proof::Name,
        ),
        (
            "host=h sslrootcert=system",
            SslMode::VerifyFull,
            Proof::Name,
        ),
        ("postgresql://h?ssl=true", SslMode::Require, Proof::None),
    ] {
        let read = of_uri(text);
        assert_eq!((read.tls.mode, read.tls.proof()), (mode, proof), "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused_and_repeats_no_secret() {
    for (text, words, hint) in [
        ("host=h sslcrl=c", "does not know `sslcrl`", "ADBC"),
        ("host=h service=s", "does not know `service`", "ADBC"),
        (
            "host=h sslpassword=Marked77",
            "does not know `sslpassword`",
            "ADBC",
        ),
        (
            "host=h gssencmode=require",
            "this value of `gssencmode`",
            "ADBC",
        ),
        (
            "host=h sslnegotiation=direct",
            "this value of `sslnegotiation`",
            "ADBC",
        ),
        (
            "host=h target_session_attrs=prefer-standby",
            "this value of `target_session_attrs`",
            "ADBC",
        ),
        (
            "host=h sslmode=Marked77",
            "this value of `sslmode`",
            "verify-full",
        ),
        (
            "host=h sslmod=require",
            "unknown PostgreSQL option: `sslmod`",
            "did you mean `sslmode`?",
        ),
        (
            "host=h sslmode=verify-full",
            "missing PostgreSQL option: `sslrootcert`",
            "system",
        ),
        (
            "host=h sslmode=require sslrootcert=system",
            "weaker than `verify-full`",
            "leave `sslmode` out",
        ),
        ("host=h sslcert=c", "one is missing", "both"),
        (
            "host=a,b port=1,2,3",
            "3 ports for 2 servers",
            "one for each",
        ),
        ("host=h port=Marked77", "`port` is not a number", "%40"),
        (
            "host=h hostaddr=Marked77",
            "`hostaddr` is not an IP address",
            "%40",
        ),
        (
            "host=h connect_timeout=Marked77",
            "`connect_timeout` is not a whole number",
            "%40",
        ),
        (
            "postgresql://u:Marked77/x@h/d",
            "`port` is not a number",
            "%40",
        ),
        (
            "postgresql://u@h/d?Marked77",
            "a parameter has no value",
            "%40",
        ),
        ("Marked77", "`uri` is not a URI", "%40"),
        ("postgresql://u:%FFMarked77@h", "UTF-8", "%40"),
    ] {
        let error = read(&[("uri", text)], &[("USER", "me")]).err();
        let error = error.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.kind, crate::SqlErrorKind::Driver, "{text}");
        assert!(error.message.contains(words), "{text}: {error}");
        let told = error.hint.as_deref().unwrap_or_default();
        assert!(told.contains(hint), "{text}: {told}");
        assert!(!error.text().contains("Marked77"), "{error}");
    }
    let error = read(&[("host", "h")], &[("USER", "me"), ("PGSERVICE", "s")]).err();
    assert!(error.is_some_and(|error| error.message.contains("`PGSERVICE`")));
    assert!(
        read(
            &[("host", "h"), ("gssencmode", "disable")],
            &[("USER", "me")]
        )
        .is_ok()
    );
}

#[test]
fn whose_host_is_named_goes_nowhere_else() {
    let environment = [
        ("USER", "me"),
        ("PGHOST", "elsewhere"),
        ("PGHOSTADDR", "10.0.0.9"),
    ];
    let addresses = |options: &[(&str, &str)]| {
        let hosts = read(options, &environment).unwrap().hosts;
        hosts
            .into_iter()
            .map(|host| (host.name, host.address.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(addresses(&[("host", "here")]), [("here".to_owned(), false)]);
    assert_eq!(
        addresses(&[("uri", "postgresql://here/d")]),
        [("here".to_owned(), false)]
    );
    assert_eq!(addresses(&[]), [("elsewhere".to_owned(), true)]);
}
