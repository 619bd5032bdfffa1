use super::*;

fn workspace(connectors: &[&str]) -> (tempfile::TempDir, Workspace) {
    let dir = tempfile::tempdir().unwrap();
    for name in connectors {
        let folder = if name.contains('/') {
            dir.path().join(name)
        } else {
            dir.path().join("connectors").join(name)
        };
        std::fs::create_dir_all(folder).unwrap();
    }
    let workspace = Workspace::at(dir.path());
    (dir, workspace)
}

fn resolved(
    connectors: &[&str],
    argument: Option<&str>,
    variable: Option<&str>,
) -> Result<String, String> {
    located(connectors, argument, variable, None)
}

fn located(
    connectors: &[&str],
    argument: Option<&str>,
    variable: Option<&str>,
    wanted: Option<AssetClass>,
) -> Result<String, String> {
    let (dir, workspace) = workspace(connectors);
    match workspace.locate_with(argument, variable, wanted) {
        Ok(found) => {
            let path = found.dir.strip_prefix(dir.path()).unwrap();
            let path = path.to_string_lossy().into_owned();
            Ok(path.strip_prefix("connectors/").unwrap_or(&path).to_owned())
        }
        Err(error) => Err(error
            .diagnose()
            .to_string()
            .replace(&dir.path().display().to_string(), "<root>")),
    }
}

/// A warehouse's and a pipeline's connector of one name, and one more of each.
const BOTH: [&str; 4] = [
    "shop",
    "till",
    "etl_connectors/shop",
    "etl_connectors/night",
];

#[test]
fn a_name_in_both_folders_needs_the_folder() {
    assert_eq!(
        resolved(&BOTH, Some("shop"), None),
        Err("which connector? there are several: `connectors/shop`, `etl_connectors/shop`\nhint: name one, or set `CONNECTOR`".into())
    );
    for asked in [
        "etl_connectors/shop",
        "./etl_connectors/shop/",
        "./././etl_connectors/shop//",
    ] {
        assert_eq!(
            resolved(&BOTH, Some(asked), None),
            Ok("etl_connectors/shop".into())
        );
    }
    assert_eq!(
        resolved(&BOTH, Some("night"), None),
        Ok("etl_connectors/night".into())
    );
}

#[test]
fn a_command_for_one_kind_sees_only_that_kind() {
    let pipeline = Some(AssetClass::Pipeline);
    assert_eq!(
        located(&BOTH, Some("shop"), None, pipeline),
        Ok("etl_connectors/shop".into())
    );
    assert_eq!(
        located(&["shop", "etl_connectors/night"], None, None, pipeline),
        Ok("etl_connectors/night".into())
    );
    assert_eq!(
        located(&BOTH, Some("night"), None, Some(AssetClass::Warehouse)),
        Err("connector `night` is a pipeline connector, which has no templates and runs no SQL\nhint: `bowline inspect night` shows what it gives".into())
    );
    assert_eq!(
        located(&["shop"], None, None, pipeline),
        Err("no connectors: `<root>/etl_connectors` is empty or does not exist\nhint: make one with `bowline new --pipeline`".into())
    );
}

#[test]
fn the_only_connector_needs_no_name() {
    assert_eq!(
        resolved(&["shop", "_draft", ".git"], None, None),
        Ok("shop".into())
    );
    assert_eq!(resolved(&["shop"], None, Some(" ")), Ok("shop".into()));
}

#[test]
fn the_argument_wins_over_the_environment() {
    let both = ["shop", "till"];
    assert_eq!(
        resolved(&both, Some("shop"), Some("till")),
        Ok("shop".into())
    );
    assert_eq!(resolved(&both, None, Some("till")), Ok("till".into()));
}

#[test]
fn a_path_names_a_connector_of_this_workspace_alone() {
    let (dir, workspace) = workspace(&["shop"]);
    let whole = |root: &Path| format!("{}/connectors/shop/", root.display());
    let asked = |name: &str| workspace.locate_with(Some(name), None, None);
    assert_eq!(asked("shop/").unwrap().name.as_str(), "shop");
    assert_eq!(asked(&whole(dir.path())).unwrap().name.as_str(), "shop");
    assert!(asked(&whole(&dir.path().join("connectors"))).is_err());
}

#[test]
fn names_are_compared_as_connectors_are_named() {
    assert_eq!(
        resolved(&["My-Shop", "till"], Some("my shop"), None),
        Ok("My-Shop".into())
    );
}

#[test]
fn several_are_listed() {
    assert_eq!(
        resolved(&["till", "shop"], None, None),
        Err("which connector? there are several: `shop`, `till`\nhint: name one, or set `CONNECTOR`".into())
    );
}

#[test]
fn an_unknown_name_offers_the_nearest_and_says_where_it_came_from() {
    assert_eq!(
        resolved(&["shop", "till"], Some("shpo"), None),
        Err("unknown connector: `shpo`\nhint: did you mean `shop`?".into())
    );
    assert_eq!(
        resolved(&["shop", "till"], None, Some("warehouse")),
        Err("unknown connector: `warehouse` (from the environment variable `CONNECTOR`)\nhint: there are `shop`, `till`".into())
    );
}

#[test]
fn a_folder_of_other_things_is_no_connector() {
    let (dir, workspace) = workspace(&["connectors/shop", "connectors/tests"]);
    let connectors = || workspace.connectors(AssetClass::Warehouse).unwrap().len();
    std::fs::write(dir.path().join("connectors/tests/test_shop.py"), "").unwrap();
    assert_eq!(connectors(), 1);
    // One that is named is told what it lacks, as is one that was begun.
    let named = workspace.locate_with(Some("tests"), None, None).unwrap();
    assert_eq!(named.dir, dir.path().join("connectors/tests"));
    std::fs::write(
        dir.path().join("connectors/tests/credentials.pg13.json"),
        "",
    )
    .unwrap();
    assert_eq!(connectors(), 2);
}

#[test]
fn an_empty_workspace_says_how_to_begin() {
    assert_eq!(
        resolved(&[], Some("shop"), None),
        Err("no connectors: `<root>/connectors` is empty or does not exist\nhint: make one with `bowline new`".into())
    );
}

#[test]
fn two_folders_of_one_name_are_refused() {
    let error = resolved(&["my-shop", "my_shop"], None, None).unwrap_err();
    assert!(
        error.starts_with("two folders for one connector:"),
        "{error}"
    );
}

#[test]
fn the_root_is_found_upward() {
    let (dir, workspace) = workspace(&["shop"]);
    let deep = dir.path().join("connectors/shop/templates");
    std::fs::create_dir_all(&deep).unwrap();
    assert_eq!(Workspace::find(&deep).unwrap(), workspace);
    let bare = tempfile::tempdir().unwrap();
    assert_eq!(Workspace::find(bare.path()).unwrap().root(), bare.path());
}
