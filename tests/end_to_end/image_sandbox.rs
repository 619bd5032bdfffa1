//! Where tests build images: a workspace, a base, and programs of others that read what comes out.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_contract::exit_code;
use bowline_servers::ImageStore;
use serde_json::Value;

use crate::sandbox::{MARK, Ran, Sandbox};

/// Lets the connectors of these tests in, which nobody has proven.
pub(crate) const UNPROVEN: [&str; 2] = ["--unproven", "shop"];
/// The same for those of [`three_connectors`].
pub(crate) const ALL_UNPROVEN: [&str; 6] = [
    "--unproven",
    "shop",
    "--unproven",
    "till",
    "--unproven",
    "jobs",
];

/// A sandbox with a store of images, and in its working folder a base, `oci:base:1`.
pub(crate) struct ImageSandbox {
    pub(crate) sandbox: Sandbox,
    pub(crate) store: ImageStore,
}

impl ImageSandbox {
    /// An empty workspace; the base has a shell.
    pub(crate) fn new() -> Self {
        Self::of(Sandbox::new())
    }

    /// The workspace of a sandbox; the base has a shell.
    pub(crate) fn of(sandbox: Sandbox) -> Self {
        let store = ImageStore::new().expect("a store of images");
        store
            .busybox_base(&sandbox.work().join("base"), "1")
            .expect("a base image");
        Self { sandbox, store }
    }

    /// The workspace of a sandbox; the base has a Python, that of the tests.
    pub(crate) fn with_python(sandbox: Sandbox, python: &Path) -> Self {
        let store = ImageStore::new().expect("a store of images");
        store
            .python_base(&sandbox.work().join("base"), "1", python)
            .expect("a base image");
        Self { sandbox, store }
    }

    /// A place in the workspace.
    pub(crate) fn work(&self, path: &str) -> PathBuf {
        self.sandbox.work().join(path)
    }

    /// An image of the workspace as programs of others name it, such as `oci:<workspace>/native:1`.
    pub(crate) fn image(&self, name: &str) -> String {
        let (kind, path) = name.split_once(':').expect("a kind");
        format!("{kind}:{}", self.work(path).display())
    }

    /// Runs the binary, with the store of images at hand.
    pub(crate) fn bowline(&self, args: &[&str]) -> Ran {
        let mut command = self.sandbox.command(args);
        command.envs(self.store.environment());
        self.sandbox.finish(&mut command, None)
    }

    /// What the binary says about an image.
    pub(crate) fn inspected(&self, image: &str) -> Value {
        self.sandbox
            .bowline(&["image", "inspect", image, "--format", "json"])
            .exits(exit_code::OK)
            .json()
    }

    /// The root of an image in an OCI layout, unpacked by umoci.
    pub(crate) fn unpack(&self, layout: &str) -> PathBuf {
        let bundle = self.sandbox.folder().join(format!("bundle-{layout}"));
        let image = format!("{}:1", self.work(layout).display());
        run(Command::new("umoci")
            .args(["unpack", "--image", &image])
            .arg(&bundle));
        bundle.join("rootfs")
    }

    /// Writes an image of the store to an OCI layout.
    pub(crate) fn save(&self, image: &str, layout: &str) {
        let target = self.image(&format!("oci:{layout}:1"));
        self.store
            .buildah(&["push", "--quiet", image, &target])
            .expect("an image in the store");
    }
}

/// What a program of others writes; it must end well.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("a program of the image tools");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const EXPORTED: &str = r#"{
  "connection_type": "custom-connector-000000N",
  "connection_name": "NAME",
  "capabilities": {"supports_metadata": true},
  "metrics": {}
}
"#;

/// A warehouse connector as its folder and its export are.
fn warehouse(sandbox: &Sandbox, name: &str, digit: char, files: &[(&str, &str)]) {
    let manifest = EXPORTED
        .replace("000000N", &format!("000000{digit}"))
        .replace("NAME", name);
    sandbox.write(format!("output/{name}/manifest.json"), &manifest);
    sandbox.write(
        format!("output/{name}/templates/get_avg_function_template.j2"),
        "AVG({{ x }})",
    );
    let secret = format!(r#"{{"connect_args": {{"password": "{MARK}-{name}"}}}}"#);
    sandbox.write(format!("connectors/{name}/credentials.json"), &secret);
    for (path, text) in files {
        sandbox.write(format!("connectors/{name}/{path}"), text);
    }
}

/// The warehouse connector `shop`, in Python, with these files more.
pub(crate) fn shop(sandbox: &Sandbox, files: &[(&str, &str)]) {
    let code = ("connector.py", "class BaseConnector:\n    pass\n");
    warehouse(sandbox, "shop", '1', &[&[code], files].concat());
}

/// One connector in Python, one declared, one for a pipeline; secrets in every place that stays out.
pub(crate) fn three_connectors(sandbox: &Sandbox) {
    shop(
        sandbox,
        &[
            ("requirements.txt", "# nothing but the standard library\n"),
            ("Dockerfile.extra", "# for later\nENV SHOP_HOME=/opt/shop\n"),
            (".env", MARK),
        ],
    );
    warehouse(
        sandbox,
        "till",
        '2',
        &[
            (
                "connector.toml",
                "version = 1\n[driver]\nkind = \"sqlite\"\n[driver.options]\nuri = \"{{ path }}\"\n[dialect]\nextends = \"sqlite\"\n",
            ),
            (
                "manifest.json",
                r#"{"connection_type": "custom-connector-0000002", "connection_name": "till", "asset_class": "warehouse"}"#,
            ),
        ],
    );
    let jobs = "etl_connectors/jobs";
    for (path, text) in [
        ("connector.py", "class Connector:\n    pass\n"),
        (
            "manifest.json",
            r#"{"connection_type": "custom-etl-connector-0000003", "connection_name": "jobs",
                "asset_class": "etl", "run_status_mapping": {"done": "success"}}"#,
        ),
        ("lib/helper.py", "x = 1\n"),
        (".gitignore", "*.pem\n"),
        ("key.pem", MARK),
        ("credentials.json", &format!(r#"{{"token": "{MARK}"}}"#)),
        ("lib/.env", MARK),
    ] {
        sandbox.write(format!("{jobs}/{path}"), text);
    }
}
