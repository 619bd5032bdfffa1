//! Plans over real folders.

mod proven;

use std::path::{Path, PathBuf};

use bowline_contract::ConnectorName;
use bowline_contract::manifest::AssetClass;
use bowline_words::Diagnose;
use tempfile::TempDir;

use bowline_oci::Platform;
use bowline_oci::layer::Content;

use super::*;
use crate::error::{ImageError, ImageErrorKind};

/// A workspace in a folder of its own.
struct Space(TempDir);

impl Space {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// An exported warehouse connector in Python with these capabilities.
    fn warehouse(&self, name: &str, digits: &str, capabilities: &str) -> &Self {
        let manifest = format!(
            r#"{{"connection_type": "custom-connector-{digits}", "connection_name": "{name}",
                "capabilities": {{{capabilities}}}, "metrics": {{}}}}"#
        );
        self.write(
            &format!("connectors/{name}/connector.py"),
            "class BaseConnector: ...\n",
        )
        .write(&format!("output/{name}/manifest.json"), &manifest)
        .write(
            &format!("output/{name}/templates/get_avg_function_template.j2"),
            "avg(x)",
        )
    }

    fn pipeline(&self, name: &str) -> &Self {
        let manifest = r#"{"connection_type": "custom-etl-connector-0000001", "connection_name": "jobs",
            "asset_class": "etl", "run_status_mapping": {"done": "success"}}"#;
        self.write(
            &format!("etl_connectors/{name}/connector.py"),
            "class Connector: ...\n",
        )
        .write(&format!("etl_connectors/{name}/manifest.json"), manifest)
    }

    fn candidate(&self, class: AssetClass, name: &str) -> Candidate {
        let folder = match class {
            AssetClass::Warehouse => "connectors",
            AssetClass::Pipeline => "etl_connectors",
        };
        Candidate {
            name: ConnectorName::parse(name).unwrap(),
            class,
            dir: self.0.path().join(folder).join(name),
            packs: Vec::new(),
            export: self.0.path().join("output").join(name),
        }
    }

    fn plan_with(
        &self,
        connectors: &[Candidate],
        change: impl FnOnce(&mut PlanRequest<'_>),
    ) -> Result<Planned, PlanError> {
        self.plan_by(connectors, |mut request| {
            change(&mut request);
            plan(&request)
        })
    }

    /// What is made of a request in which every connector may go in unproven.
    fn plan_by(
        &self,
        connectors: &[Candidate],
        planned: impl FnOnce(PlanRequest<'_>) -> Result<Planned, PlanError>,
    ) -> Result<Planned, PlanError> {
        let unproven: Vec<PathBuf> = connectors.iter().map(|each| each.dir.clone()).collect();
        planned(PlanRequest {
            workspace: self.0.path(),
            connectors,
            mode: ModeChoice::Auto,
            version: None,
            base: None,
            platforms: &[],
            tag: None,
            unproven: &unproven,
            secrets: &[],
            runtime: &Beside,
        })
    }

    fn problems(&self, connectors: &[Candidate], mode: ModeChoice) -> Vec<String> {
        let error = self
            .plan_with(connectors, |request| request.mode = mode)
            .unwrap_err();
        error.problems.iter().map(ToString::to_string).collect()
    }
}

/// Runs everything but `broken`.
struct Beside;

impl Runtime for Beside {
    fn provide(
        &self,
        connector: &Candidate,
        root: &str,
        own: &[PlannedFile],
        _: &[Platform],
    ) -> Result<RuntimeFiles, ImageError> {
        if connector.name.as_str() == "broken" {
            return Err(
                ImageError::new(ImageErrorKind::Missing, "the program").hint("build it".to_owned())
            );
        }
        let file = |path: String| PlannedFile {
            path,
            content: Content::Bytes(b"x".to_vec()),
            mode: 0o644,
            platform: None,
        };
        Ok(RuntimeFiles {
            own: own
                .iter()
                .map(|each| PlannedFile {
                    path: each.path.replacen(root, &format!("{root}/source"), 1),
                    ..each.clone()
                })
                .chain([file(format!("{root}/connector.py"))])
                .collect(),
            shared: vec![file("/opt/bowline/bin/bowline".to_owned())],
        })
    }
}

const METADATA: &str = r#""supports_metadata": true"#;
const MONITORS: &str = r#""supports_custom_sql_monitor": true"#;

fn paths(files: &[PlannedFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_plan_holds_the_folders_and_the_export_and_nothing_secret() {
    let space = Space::new();
    space
        .warehouse("shop", "0000001", METADATA)
        .write("connectors/shop/requirements.txt", "a==1\n")
        .write("connectors/shop/Dockerfile.extra", "# nothing\n")
        .write("connectors/shop/credentials.json", "{}")
        .write("connectors/shop/notes.md", "x")
        .write("connectors/shop/lib/help.py", "x")
        .write("connectors/shop/templates/own.j2", "x")
        .write("connectors/shop/checks/own.toml", "x")
        .write("connectors/shop/manifest.json", "{}")
        .pipeline("jobs")
        .write("etl_connectors/jobs/deep/help.py", "x")
        .write("etl_connectors/jobs/.env", "x");
    let planned = space
        .plan_with(
            &[
                space.candidate(AssetClass::Pipeline, "jobs"),
                space.candidate(AssetClass::Warehouse, "shop"),
            ],
            |_| (),
        )
        .unwrap();
    let plan = planned.plan;
    assert_eq!(planned.questions, []);
    assert_eq!(plan.tag, "custom-agent:latest-generic");
    assert_eq!(
        plan.base,
        BaseImage::Reference("montecarlodata/agent:latest-generic".to_owned())
    );
    assert_eq!(plan.platforms, [Platform::linux_amd64()]);
    assert_eq!(
        paths(&plan.connectors[0].files),
        [
            "/opt/custom-connectors/shop/Dockerfile.extra",
            "/opt/custom-connectors/shop/connector.py",
            "/opt/custom-connectors/shop/lib/help.py",
            "/opt/custom-connectors/shop/manifest.json",
            "/opt/custom-connectors/shop/notes.md",
            "/opt/custom-connectors/shop/requirements.txt",
            "/opt/custom-connectors/shop/templates/get_avg_function_template.j2",
        ]
    );
    assert_eq!(plan.connectors[0].requirements[0].text, "a==1");
    assert_eq!(plan.connectors[0].mode, Some(Mode::Full));
    assert_eq!(plan.connectors[0].extra, None);
    assert_eq!(
        paths(&plan.connectors[1].files),
        [
            "/opt/custom-etl-connectors/jobs/connector.py",
            "/opt/custom-etl-connectors/jobs/deep/help.py",
            "/opt/custom-etl-connectors/jobs/manifest.json",
        ]
    );
    assert_eq!(plan.connectors[1].mode, None);
    assert_eq!(
        plan.labels[CONNECTORS_LABEL],
        r#"[{"name":"shop","class":"warehouse","connection_type":"custom-connector-0000001","connection_name":"shop","mode":"full","capabilities":["supports_metadata"]},{"name":"jobs","class":"etl","connection_type":"custom-etl-connector-0000001","connection_name":"jobs"}]"#
    );
}

#[test]
fn a_declared_connector_gets_its_runtime_and_its_export() {
    let space = Space::new();
    for name in ["shop", "till"] {
        let digits = if name == "shop" { "0000001" } else { "0000002" };
        space
            .warehouse(name, digits, METADATA)
            .write(
                &format!("connectors/{name}/connector.toml"),
                "version = 1\n",
            )
            .write(&format!("connectors/{name}/manifest.json"), "{}");
        std::fs::remove_file(
            space
                .0
                .path()
                .join(format!("connectors/{name}/connector.py")),
        )
        .unwrap();
    }
    let all = ["shop", "till"].map(|name| space.candidate(AssetClass::Warehouse, name));
    let plan = space.plan_with(&all, |_| ()).unwrap().plan;
    assert_eq!(
        paths(&plan.connectors[0].files),
        [
            "/opt/custom-connectors/shop/connector.py",
            "/opt/custom-connectors/shop/manifest.json",
            "/opt/custom-connectors/shop/source/connector.toml",
            "/opt/custom-connectors/shop/source/manifest.json",
            "/opt/custom-connectors/shop/templates/get_avg_function_template.j2",
        ]
    );
    assert_eq!(paths(&plan.shared), ["/opt/bowline/bin/bowline"]);
}

#[test]
fn everything_in_the_way_is_told_at_once() {
    let space = Space::new();
    space
        .write("connectors/new/connector.py", "")
        .write("connectors/new/Dockerfile.extra", "COPY a b\n")
        .write("connectors/new/requirements.txt", "-r more.txt\n")
        .write("connectors/empty/manifest.json", "{}")
        .write("connectors/broken/connector.toml", "")
        .write("output/broken/manifest.json", "[]")
        .write("output/broken/templates/x.j2", "")
        .write("etl_connectors/jobs/connector.py", "");
    let all = [
        space.candidate(AssetClass::Warehouse, "new"),
        space.candidate(AssetClass::Warehouse, "empty"),
        space.candidate(AssetClass::Warehouse, "broken"),
        space.candidate(AssetClass::Pipeline, "jobs"),
    ];
    let error = space
        .plan_with(&all, |request| {
            request.tag = Some("Not A Tag");
            request.version = Some("1 2");
            request.base = Some(BaseImage::Archive(Path::new("/nowhere.tar").to_path_buf()));
        })
        .unwrap_err();
    let text = error.diagnose().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "cannot build the image: 11 problems", "{text}");
    for expected in [
        "not a version that a tag can hold: `1 2`",
        "no such file: `/nowhere.tar`",
        "`new`: not exported: `output/new/manifest.json` and `output/new/templates` are missing",
        "  hint: run `bowline export new`",
        "`new`: `connectors/new/Dockerfile.extra`: line 1: `COPY` has nothing to copy from: the folder that the image is built from is temporary",
        "`empty`: `connectors/empty` has neither `connector.py` nor `connector.toml`",
        "`broken`: `output/broken/manifest.json`: it is not a JSON object",
        "`broken`: not there: the program",
        "`jobs`: `etl_connectors/jobs/manifest.json` is missing",
    ] {
        assert!(lines.contains(&expected), "{expected}\n{text}");
    }
    assert!(text.contains("not a tag: "), "{text}");
    assert!(text.contains("requirements.txt`: line 1: "), "{text}");
}

#[test]
fn modes_follow_what_was_proven() {
    let space = Space::new();
    let both = format!("{METADATA}, {MONITORS}");
    space
        .warehouse("full", "0000001", &both)
        .warehouse("part", "0000002", MONITORS)
        .warehouse("none", "0000003", "");
    let one = |name: &str| [space.candidate(AssetClass::Warehouse, name)];
    let mode = |name: &str, choice: ModeChoice| {
        space
            .plan_with(&one(name), |request| request.mode = choice)
            .map(|planned| planned.plan.connectors[0].mode)
            .ok()
            .flatten()
    };
    assert_eq!(mode("full", ModeChoice::Auto), Some(Mode::Full));
    assert_eq!(mode("full", ModeChoice::Full), Some(Mode::Full));
    assert_eq!(mode("full", ModeChoice::Hybrid), None);
    assert_eq!(mode("part", ModeChoice::Auto), Some(Mode::Hybrid));
    assert_eq!(mode("part", ModeChoice::Hybrid), Some(Mode::Hybrid));
    assert_eq!(mode("part", ModeChoice::Full), None);
    assert_eq!(mode("none", ModeChoice::Auto), None);
    assert_eq!(
        space.problems(&one("none"), ModeChoice::Hybrid),
        ["`none`: mode `hybrid` needs `supports_custom_sql_monitor`, which was not proven"]
    );
}

#[test]
fn two_connectors_of_one_type_cannot_share_an_image() {
    let space = Space::new();
    space
        .warehouse("a", "0000001", METADATA)
        .warehouse("b", "0000001", METADATA);
    let all = ["a", "b"].map(|name| space.candidate(AssetClass::Warehouse, name));
    assert_eq!(
        space.problems(&all, ModeChoice::Auto),
        ["`a` and `b` have the same `connection_type`: `custom-connector-0000001`"]
    );
    // That something else is wrong with one is no reason to tell it in the next round.
    space.write("connectors/b/Dockerfile.extra", "FROM other:1\n");
    let problems = space.problems(&all, ModeChoice::Auto);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[1].contains("the same `connection_type`"));
}

#[test]
fn what_its_owner_may_not_want_is_asked() {
    let space = Space::new();
    space
        .warehouse("shop", "0000001", METADATA)
        .write(
            "output/shop/manifest.json",
            r#"{"connection_type": "custom-connector-0000001", "connection_name": "Shop",
                "capabilities": {"supports_metadata": true}, "metrics": {"b": true, "a": true}}"#,
        )
        .write(
            "connectors/shop/connector.py",
            "password = 'hunter2-hunter2'",
        )
        .write(
            "connectors/shop/credentials.pg13.json",
            r#"{"connect_args": {"host": "database-host", "password": "hunter2-hunter2"}}"#,
        );
    let shop = space.candidate(AssetClass::Warehouse, "shop");
    let one = std::slice::from_ref(&shop);
    let error = space.plan_with(one, |_| ()).unwrap_err();
    assert_eq!(
        error.diagnose().to_string(),
        "cannot build the image: `shop`: `connectors/shop/connector.py` goes into the image and holds a value of its \
         credentials\nhint: take it out, name it in `.gitignore`, or allow it with `--allow-secrets \
         connectors/shop/connector.py`"
    );
    let allowed = [shop.dir.join("connector.py")];
    let planned = space
        .plan_by(one, |request| {
            plan(&PlanRequest {
                secrets: &allowed,
                ..request
            })
        })
        .unwrap();
    assert_eq!(
        planned.questions,
        [Question::MetricsWithoutQueryLanguage {
            connector: shop.name,
            metrics: vec!["a".to_owned(), "b".to_owned()],
        }]
    );
}

#[test]
fn the_name_of_a_base_is_told_where_others_know_it() {
    let space = Space::new();
    space.pipeline("jobs");
    let one = space.candidate(AssetClass::Pipeline, "jobs");
    for (name, is_own) in [
        ("agent", true),
        ("team/agent:1", true),
        ("localhost/agent", true),
        ("r.example/team/agent:1", false),
        ("localhost:5000/agent", false),
    ] {
        let planned = space.plan_with(std::slice::from_ref(&one), |_| ());
        let mut plan = planned.unwrap().plan;
        plan.base = BaseImage::Reference(name.to_owned());
        let copy = BaseImage::Archive("copy.tar".into());
        let over = plan.over_own(copy.clone());
        assert_eq!(over.is_some(), is_own, "{name}");
        assert!(over.is_none_or(|over| over.base == copy
            && !over.labels.contains_key(super::image_plan::BASE_NAME_LABEL)));
    }
}

/// What keeps connectors out of an image, where these folders are let in unproven.
fn problems(space: &Space, candidates: &[Candidate], unproven: &[PathBuf]) -> Vec<String> {
    let planned = space.plan_by(candidates, |request| {
        plan(&PlanRequest {
            unproven,
            ..request
        })
    });
    planned.map_or_else(
        |error| error.problems.iter().map(ToString::to_string).collect(),
        |_| Vec::new(),
    )
}

#[test]
fn what_a_connector_cannot_do_without_is_not_ignored() {
    let space = Space::new();
    space
        .pipeline("jobs")
        .pipeline("told")
        .warehouse("shop", "0000001", METADATA)
        .write("connectors/shop/manifest.json", "{}")
        .write("etl_connectors/told/connector.toml", "[http]")
        .write(".gitignore", "*.json\n*.toml\n");
    let all = [
        space.candidate(AssetClass::Pipeline, "jobs"),
        space.candidate(AssetClass::Pipeline, "told"),
        space.candidate(AssetClass::Warehouse, "shop"),
    ];
    let problems = space.problems(&all, ModeChoice::Auto);
    for file in [
        "etl_connectors/jobs/manifest.json",
        "etl_connectors/told/manifest.json",
        "etl_connectors/told/connector.toml",
    ] {
        let told = format!("`{file}`: a `.gitignore` names it");
        assert!(
            problems.iter().any(|each| each.contains(&told)),
            "{problems:?}"
        );
    }
    // An export takes its place.
    assert!(
        !problems.iter().any(|each| each.contains("connectors/shop")),
        "{problems:?}"
    );
}

#[test]
fn a_manifest_that_the_agent_cannot_read_is_refused() {
    let space = Space::new();
    space.pipeline("jobs");
    let jobs = space.candidate(AssetClass::Pipeline, "jobs");
    let text = std::fs::read_to_string(jobs.dir.join("manifest.json")).unwrap();
    space.write(
        "etl_connectors/jobs/manifest.json",
        &format!("\u{feff}{text}"),
    );
    let problems = space.problems(std::slice::from_ref(&jobs), ModeChoice::Auto);
    assert!(
        matches!(&problems[..], [one] if one.contains("byte order mark")),
        "{problems:?}"
    );
}

#[test]
fn credentials_that_cannot_be_read_stop_a_build() {
    let space = Space::new();
    space.pipeline("jobs").write(
        "etl_connectors/jobs/credentials.json",
        "{\"token\": \"geheim\",}",
    );
    let jobs = space.candidate(AssetClass::Pipeline, "jobs");
    let problems = space.problems(std::slice::from_ref(&jobs), ModeChoice::Auto);
    assert!(
        matches!(&problems[..], [one] if one.contains("credentials.json`: its secrets cannot be looked for")),
        "{problems:?}"
    );
}

#[test]
fn no_connector_switches_the_others_off() {
    let space = Space::new();
    space.pipeline("jobs");
    let jobs = space.candidate(AssetClass::Pipeline, "jobs");
    let problems_with = |text: &str| {
        space.write("etl_connectors/jobs/Dockerfile.extra", text);
        problems(
            &space,
            std::slice::from_ref(&jobs),
            std::slice::from_ref(&jobs.dir),
        )
    };
    let told = problems_with("ENV A=1 MCD_CUSTOM_CONNECTORS_ENABLED=false\n");
    assert!(
        matches!(&told[..], [one] if one.contains("switches every connector")),
        "{told:?}"
    );
    assert_eq!(
        problems_with("ENV MCD_CUSTOM_CONNECTORS_ENABLED=true\n"),
        [""; 0]
    );
}

#[test]
fn without_names_all_that_is_exported_goes_in() {
    let space = Space::new();
    space
        .warehouse("shop", "0000001", METADATA)
        .write("connectors/draft/connector.py", "")
        .pipeline("jobs");
    let (chosen, left_out) = choose(vec![
        space.candidate(AssetClass::Warehouse, "draft"),
        space.candidate(AssetClass::Warehouse, "shop"),
        space.candidate(AssetClass::Pipeline, "jobs"),
    ]);
    let chosen: Vec<&str> = chosen.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(chosen, ["shop", "jobs"]);
    assert_eq!(left_out[0].as_str(), "draft");
}

#[test]
fn variables_are_what_the_dockerfile_would_set() {
    let space = Space::new();
    space
        .warehouse("shop", "0000001", METADATA)
        .write(
            "connectors/shop/Dockerfile.extra",
            "ARG V=1\nENV PATH=/shop:$PATH\n",
        )
        .warehouse("till", "0000002", METADATA)
        .write(
            "connectors/till/Dockerfile.extra",
            "ENV PATH=/till-$V:$PATH\n",
        );
    let all = ["shop", "till"].map(|name| space.candidate(AssetClass::Warehouse, name));
    let plan = space.plan_with(&all, |_| ()).unwrap().plan;
    let set = plan.variables(&[("PATH".to_owned(), "/bin".to_owned())]);
    assert_eq!(set.last().unwrap().1, "/till-1:/shop:/bin");
    assert_eq!(set[0].0, "MCD_CUSTOM_CONNECTORS_ENABLED");
    let dockerfile = crate::dockerfile::agent(
        &plan,
        &Platform::linux_amd64(),
        ("base:1", Some("sha256:00")),
    );
    let at = |text: &str| dockerfile.find(text).unwrap();
    assert!(at("ENV PATH=/shop") < at("COPY files/connectors/shop/"));
    assert!(at("COPY files/connectors/shop/") < at("ENV PATH=/till"));
    assert!(
        dockerfile
            .starts_with("FROM base:1\n\nUSER root\nENV MCD_CUSTOM_CONNECTORS_ENABLED=\"true\"\n")
    );
    assert!(dockerfile.ends_with(
        "\nLABEL \"org.opencontainers.image.base.digest\"=\"sha256:00\"\n\nUSER mcdagent\n"
    ));
    // The base's own label is of another base.
    let unknown = crate::dockerfile::agent(&plan, &Platform::linux_amd64(), ("base:1", None));
    assert!(unknown.contains("LABEL \"org.opencontainers.image.base.digest\"=\"\"\n"));
}

#[test]
fn a_test_image_is_the_same_byte_for_byte() {
    let space = Space::new();
    space
        .write("connectors/shop/connector.py", "")
        .write(
            "connectors/shop/requirements.txt",
            "a==1\nb; python_version > '3.8'\n",
        )
        .write(
            "connectors/shop/Dockerfile.extra",
            "RUN apt-get update \\\n  && true\n",
        )
        .pipeline("jobs");
    let all = [
        space.candidate(AssetClass::Pipeline, "jobs"),
        space.candidate(AssetClass::Warehouse, "shop"),
    ];
    let image = test_image(space.0.path(), &all, Some("1.2"), None, None, "../..").unwrap();
    assert_eq!(
        image.dockerfile,
        include_str!("../../testdata/test.Dockerfile")
    );
    assert_eq!(
        image.compose,
        include_str!("../../testdata/test.compose.yaml")
    );
    space.write("connectors/shop/Dockerfile.extra", "ADD a b\n");
    let error = test_image(space.0.path(), &all, Some(""), None, None, "..").unwrap_err();
    assert_eq!(error.problems.len(), 2, "{error}");
}
