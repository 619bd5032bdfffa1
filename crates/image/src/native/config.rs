//! The configuration of the new image: the base's, with what the plan adds.

use std::collections::BTreeMap;

use bowline_oci::layer::NewLayer;
use serde_json::{Map, Value, json};

use crate::plan::ImagePlan;

/// What stands in the history for layers that the base's history says nothing of.
const UNTOLD: &str = "the base";
/// What Docker once kept of the container that an image was made in.
const LEFTOVERS: [&str; 4] = ["container", "container_config", "id", "parent"];

/// A step of the build, as the history tells it. It holds no values, so that it can hold no secrets.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) words: String,
    /// The layer that it made, if it made one.
    pub(super) layer: Option<&'a NewLayer>,
}

/// The base's configuration with the plan's variables, with these labels and steps, and with this user. `created` is
/// the time as RFC 3339 writes it.
pub(super) fn merge(
    base: &Map<String, Value>,
    base_layers: usize,
    plan: &ImagePlan,
    labels: &BTreeMap<String, String>,
    user: Option<&str>,
    steps: &[Step<'_>],
    created: &str,
) -> Map<String, Value> {
    let mut config = base.clone();
    for leftover in LEFTOVERS {
        config.shift_remove(leftover);
    }
    config.insert("created".to_owned(), created.into());
    let mut inner = object(config.get("config"));
    let before = variables(&inner);
    let mut environment = before.clone();
    for (name, value) in plan.variables(&before) {
        set(&mut environment, name, value);
    }
    let environment: Vec<String> = environment
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    inner.insert("Env".to_owned(), environment.into());
    if let Some(user) = user {
        inner.insert("User".to_owned(), user.into());
    }
    let mut all = object(inner.get("Labels"));
    for (name, value) in labels {
        all.insert(name.clone(), value.as_str().into());
    }
    if !all.is_empty() {
        inner.insert("Labels".to_owned(), all.into());
    }
    config.insert("config".to_owned(), inner.into());

    let mut diff_ids = super::base::diff_ids(base).to_vec();
    let mut history = history(base, base_layers);
    for step in steps {
        let mut told = json!({ "created": created, "created_by": step.words });
        match step.layer {
            Some(layer) => diff_ids.push(layer.diff_id.as_str().into()),
            None => told["empty_layer"] = true.into(),
        }
        history.push(told);
    }
    config.insert(
        "rootfs".to_owned(),
        json!({ "type": "layers", "diff_ids": diff_ids }),
    );
    config.insert("history".to_owned(), history.into());
    config
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// The variables that a configuration sets.
fn variables(inner: &Map<String, Value>) -> Vec<(String, String)> {
    inner
        .get("Env")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|text| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn set(environment: &mut Vec<(String, String)>, name: String, value: String) {
    match environment.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value,
        None => environment.push((name, value)),
    }
}

/// The base's history. Readers count its layers, so a history that tells of too few is made to tell of all.
fn history(base: &Map<String, Value>, layers: usize) -> Vec<Value> {
    let mut history = base
        .get("history")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let told = history
        .iter()
        .filter(|each| each.get("empty_layer").and_then(Value::as_bool) != Some(true))
        .count();
    for _ in told..layers {
        history.push(json!({ "created_by": UNTOLD }));
    }
    history
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use bowline_oci::{Descriptor, Digest, Platform};

    use super::*;
    use crate::plan::BaseImage;

    fn plan() -> ImagePlan {
        ImagePlan {
            base: BaseImage::Archive(PathBuf::new()),
            platforms: vec![Platform::linux_amd64()],
            tag: "custom-agent:1".to_owned(),
            environment: vec![
                ("B".to_owned(), "new".to_owned()),
                ("C".to_owned(), "3".to_owned()),
            ],
            user: "mcdagent".to_owned(),
            labels: BTreeMap::from([("l".to_owned(), "new".to_owned())]),
            shared: Vec::new(),
            connectors: Vec::new(),
        }
    }

    #[test]
    fn what_the_base_says_stays_and_what_the_plan_says_is_added() {
        let base = json!({
            "architecture": "amd64", "os": "linux", "container": "gone", "moby.buildkit.cache": 1,
            "config": { "Env": ["A=1", "B=old"], "Labels": { "k": "kept", "l": "old" }, "Cmd": ["agent"],
                        "Healthcheck": { "Test": ["NONE"] } },
            "rootfs": { "type": "layers", "diff_ids": ["sha256:base"] },
            "history": [{ "created_by": "ENV", "empty_layer": true }],
        });
        let layer = NewLayer {
            descriptor: Descriptor::of("layer", b"packed"),
            diff_id: Digest::of(b"unpacked"),
        };
        let steps = [
            Step {
                words: "variables".to_owned(),
                layer: None,
            },
            Step {
                words: "connector".to_owned(),
                layer: Some(&layer),
            },
        ];
        let base = base.as_object().unwrap();
        let now = "1970-01-01T00:00:00Z";
        let merged = Value::from(merge(
            base,
            1,
            &plan(),
            &plan().labels,
            Some("mcdagent"),
            &steps,
            now,
        ));
        assert_eq!(
            merged,
            json!({
                "architecture": "amd64", "os": "linux", "moby.buildkit.cache": 1, "created": now,
                "config": { "Env": ["A=1", "B=new", "C=3"], "User": "mcdagent",
                            "Labels": { "k": "kept", "l": "new" }, "Cmd": ["agent"],
                            "Healthcheck": { "Test": ["NONE"] } },
                "rootfs": { "type": "layers", "diff_ids": ["sha256:base", layer.diff_id.as_str()] },
                "history": [
                    { "created_by": "ENV", "empty_layer": true },
                    { "created_by": "the base" },
                    { "created": now, "created_by": "variables", "empty_layer": true },
                    { "created": now, "created_by": "connector" },
                ],
            })
        );
    }
}
