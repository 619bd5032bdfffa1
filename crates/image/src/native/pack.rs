//! From a plan and its base to a complete image: layers, configurations, manifests, and what belongs to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bowline_contract::layout;
use bowline_contract::manifest::AssetClass;
use bowline_oci::cache::KeptLayers;
use bowline_oci::layer::{Entry, NewLayer, Tree, write_layer};
use bowline_oci::{
    Blob, BlobContent, Cancel, Descriptor, Digest, Document, Index, Manifest, OciError,
    PackedImage, Platform, json_bytes, media_type,
};

use bowline_words::listed;

use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::event::BuildEvent;
use crate::native::artifact::{AttachedFile, Attachment, CONNECTORS_ARTIFACT, artifact};
use crate::native::base::PlatformBase;
use crate::native::config::{Step, merge};
use crate::native::entries::entries;
use crate::native::proven::{ProvenConnector, attachments};
use crate::plan::{
    BASE_DIGEST_LABEL, ImagePlan, PIPELINE_ROOT, PlannedConnector, PlannedFile, WAREHOUSE_ROOT,
};
use crate::python::Packages;
use crate::sbom;

/// The beginning of the names that OCI gives to notes on images.
const OCI_NOTES: &str = "org.opencontainers.image.";
/// The most layers of an image that Docker takes.
const MOST_LAYERS: usize = 125;
/// How the history's words of this builder begin.
const BY: &str = "bowline build: ";

/// What is needed beside the plan.
pub(super) struct Material<'a> {
    pub(super) plan: &'a ImagePlan,
    /// The base for each of the plan's platforms, in their order.
    pub(super) bases: &'a [PlatformBase],
    /// The Python packages for each platform.
    pub(super) packages: &'a BTreeMap<Platform, Packages>,
    /// What the warehouse connectors were proven by.
    pub(super) proven: &'a [ProvenConnector],
    /// The time of everything in the image, in seconds since 1970.
    pub(super) time: u64,
    /// A folder of its own, for layers until they are written where they belong.
    pub(super) folder: &'a Path,
    /// Layers of earlier builds; nothing to keep none.
    pub(super) kept: Option<&'a KeptLayers>,
    pub(super) cancel: &'a Cancel,
}

/// A layer that has yet to be written, and what the history says of it.
struct Wanted<'a> {
    words: String,
    entries: Vec<Entry<'a>>,
}

/// Packs the image.
pub(super) fn pack(
    material: &Material<'_>,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<PackedImage, ImageError> {
    let trees = material.bases.iter().map(|base| &base.facts.tree);
    let others = others_in_bases(&material.plan.connectors, trees);
    if !others.is_empty() {
        on_event(BuildEvent::Warning(format!(
            "the base holds connectors that this build knows nothing of: {}",
            listed(Vec::from_iter(&others))
        )));
    }
    let mut wanted: Vec<Vec<Wanted<'_>>> = Vec::new();
    for base in material.bases {
        wanted.push(layers(material, base)?);
    }
    let written = write_layers(material, &wanted, on_event).map_err(from_oci)?;

    let created = rfc3339(material.time)?;
    let mut blobs = BTreeMap::new();
    let mut manifests = Vec::new();
    let mut referrers = Vec::new();
    for (base, wanted) in material.bases.iter().zip(&wanted) {
        let mut steps = vec![Step {
            words: format!("{BY}variables, labels and user"),
            layer: None,
        }];
        for layer in wanted {
            // Every wanted layer has been written, or writing would have failed.
            let made = written.iter().find(|(of, _, _)| **of == *layer.entries);
            steps.push(Step {
                words: layer.words.clone(),
                layer: made.map(|(_, layer, _)| layer),
            });
        }
        for (_, layer, file) in &written {
            if steps
                .iter()
                .any(|step| step.layer.is_some_and(|own| own.diff_id == layer.diff_id))
            {
                add(
                    &mut blobs,
                    &layer.descriptor,
                    BlobContent::File(file.clone()),
                );
            }
        }
        let document = manifest(material, base, &steps, &created, &mut blobs, on_event);
        let attached = [
            Attachment {
                artifact_type: sbom::MEDIA_TYPE.to_owned(),
                files: vec![AttachedFile {
                    title: "sbom.cdx.json".to_owned(),
                    media_type: sbom::MEDIA_TYPE.to_owned(),
                    bytes: sbom::write(&sbom::Subject {
                        plan: material.plan,
                        platform: &base.platform,
                        digest: document.digest.as_str(),
                        base_digest: &base.digest,
                        packages: material.packages.get(&base.platform),
                        time: &created,
                    })?,
                }],
            },
            connectors(material.plan),
        ];
        let proof = attachments(material.plan.title(), &document, material.proven);
        for attachment in attached.iter().chain(&proof) {
            let (referrer, more) = artifact(attachment, &document);
            for blob in more {
                add(&mut blobs, &blob.descriptor, blob.content);
            }
            referrers.push(referrer);
        }
        manifests.push((base.platform.clone(), document));
    }
    let root = match manifests.as_slice() {
        [(_, only)] => only.clone(),
        several => Document::index(&Index {
            annotations: notes(&material.plan.labels),
            ..Index::new(
                several
                    .iter()
                    .map(|(platform, document)| Descriptor {
                        platform: Some(platform.clone()),
                        ..document.descriptor()
                    })
                    .collect(),
            )
        }),
    };
    let manifests = manifests
        .into_iter()
        .map(|(_, document)| document)
        .filter(|document| document.digest != root.digest)
        .collect();
    Ok(PackedImage {
        tag: material.plan.tag.clone(),
        blobs: blobs.into_values().collect(),
        manifests,
        root,
        referrers,
    })
}

/// The folders of other connectors than those of the plan that the bases bring with them.
fn others_in_bases<'t>(
    planned: &[PlannedConnector],
    bases: impl Iterator<Item = &'t Tree>,
) -> BTreeSet<String> {
    let own = |root: &str| planned.iter().any(|connector| connector.root == root);
    bases
        .flat_map(Tree::iter)
        .filter_map(|(path, _)| path.strip_suffix(layout::MANIFEST_FILE)?.strip_suffix('/'))
        .filter(|root| {
            [WAREHOUSE_ROOT, PIPELINE_ROOT].iter().any(|folder| {
                let name = root
                    .strip_prefix(folder)
                    .and_then(|rest| rest.strip_prefix('/'));
                name.is_some_and(|name| !name.contains('/'))
            })
        })
        .filter(|root| !own(root))
        .map(str::to_owned)
        .collect()
}

fn add(blobs: &mut BTreeMap<Digest, Blob>, descriptor: &Descriptor, content: BlobContent) {
    blobs
        .entry(descriptor.digest.clone())
        .or_insert_with(|| Blob {
            descriptor: Descriptor {
                annotations: BTreeMap::new(),
                ..descriptor.clone()
            },
            content,
        });
}

/// The layers that are put on a base: what is shared, Python packages, then each connector, or several together where
/// there would be too many; those without a file are none.
fn layers<'a>(material: &Material<'a>, base: &PlatformBase) -> Result<Vec<Wanted<'a>>, ImageError> {
    let plan = material.plan;
    let platform = &base.platform;
    let here = |file: &&PlannedFile| file.platform.as_ref().is_none_or(|only| only == platform);
    let packages = material.packages.get(platform);
    let mut groups: Vec<(String, Vec<&PlannedFile>, Vec<&str>)> = vec![
        (
            "what connectors share".to_owned(),
            plan.shared.iter().filter(here).collect(),
            Vec::new(),
        ),
        (
            "Python packages".to_owned(),
            packages
                .iter()
                .flat_map(|packages| &packages.files)
                .collect(),
            Vec::new(),
        ),
    ];
    let room = MOST_LAYERS
        .saturating_sub(base.manifest.layers.len() + groups.len())
        .max(1);
    for together in plan
        .connectors
        .chunks(plan.connectors.len().div_ceil(room).max(1))
    {
        let files = together.iter().flat_map(|connector| &connector.files);
        let roots = together.iter().map(|connector| connector.root.as_str());
        groups.push((
            named(together),
            files.filter(here).collect(),
            roots.collect(),
        ));
    }
    let mut tree = base.facts.tree.clone();
    let mut wanted = Vec::new();
    for (words, files, emptied) in groups {
        if !files.is_empty() {
            wanted.push(Wanted {
                words: format!("{BY}{words}"),
                entries: entries(files, &emptied, &mut tree)?,
            });
        }
    }
    Ok(wanted)
}

/// What a layer with the files of these connectors is called.
fn named(together: &[PlannedConnector]) -> String {
    match together {
        [one] => {
            let kind = match one.class {
                AssetClass::Warehouse => "connector",
                AssetClass::Pipeline => "pipeline connector",
            };
            format!("{kind} {}", one.name)
        }
        several => {
            let names = several.iter().map(|connector| connector.name.to_string());
            format!("connectors {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

type Written<'a, 'b> = (&'b [Entry<'a>], NewLayer, PathBuf);

/// Writes every layer once.
fn write_layers<'a, 'b>(
    material: &Material<'_>,
    wanted: &'b [Vec<Wanted<'a>>],
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Vec<Written<'a, 'b>>, OciError> {
    let mut jobs: Vec<&Wanted<'a>> = Vec::new();
    for each in wanted.iter().flatten() {
        // What is the same on several platforms is written once.
        if !jobs.iter().any(|job| job.entries == each.entries) {
            jobs.push(each);
        }
    }
    let mut written = Vec::new();
    for (number, job) in jobs.into_iter().enumerate() {
        on_event(BuildEvent::Step(format!(
            "packing {}",
            job.words.trim_start_matches(BY)
        )));
        let file = material.folder.join(format!("layer-{number}"));
        let layer = match material.kept {
            Some(kept) => kept.write(&job.entries, material.time, &file, material.cancel)?,
            None => write_layer(&job.entries, material.time, &file, material.cancel)?,
        };
        written.push((job.entries.as_slice(), layer, file));
    }
    Ok(written)
}

fn manifest(
    material: &Material<'_>,
    base: &PlatformBase,
    steps: &[Step<'_>],
    created: &str,
    blobs: &mut BTreeMap<Digest, Blob>,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Document {
    let plan = material.plan;
    let user = base
        .facts
        .has_user(&plan.user)
        .then_some(plan.user.as_str());
    if user.is_none() {
        on_event(BuildEvent::Warning(format!(
            "the base `{}` has no user `{}`; the image runs as the base's own",
            base.source.name(),
            plan.user
        )));
    }
    let mut labels = plan.labels.clone();
    labels.insert(BASE_DIGEST_LABEL.to_owned(), base.digest.clone());
    let config = json_bytes(&merge(
        &base.config,
        base.manifest.layers.len(),
        plan,
        &labels,
        user,
        steps,
        created,
    ));
    let config_descriptor = Descriptor::of(media_type::CONFIG, &config);
    let mut layers = Vec::new();
    for layer in &base.manifest.layers {
        let own = BlobContent::Source(std::sync::Arc::clone(&base.source));
        add(blobs, layer, own);
        layers.push(layer.clone());
    }
    layers.extend(
        steps
            .iter()
            .filter_map(|step| step.layer)
            .map(|layer| layer.descriptor.clone()),
    );
    let document = Document::manifest(&Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: config_descriptor.clone(),
        layers,
        subject: None,
        annotations: notes(&labels),
    });
    add(blobs, &config_descriptor, BlobContent::Bytes(config));
    document
}

/// The notes on a manifest: those labels that have names of OCI's.
fn notes(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(name, _)| name.starts_with(OCI_NOTES))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The manifests of all connectors, as one attachment.
fn connectors(plan: &ImagePlan) -> Attachment {
    let files = plan.connectors.iter().map(|connector| {
        let root = connector.root.rsplit('/').next().unwrap_or_default();
        let class = match connector.class {
            AssetClass::Warehouse => "connectors",
            AssetClass::Pipeline => "etl_connectors",
        };
        AttachedFile {
            title: format!("{class}/{root}/manifest.json"),
            media_type: "application/json".to_owned(),
            bytes: connector.manifest.clone(),
        }
    });
    Attachment {
        artifact_type: CONNECTORS_ARTIFACT.to_owned(),
        files: files.collect(),
    }
}

fn rfc3339(seconds: u64) -> Result<String, ImageError> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_string())
        .ok_or_else(|| {
            ImageError::new(ImageErrorKind::Invalid, format!("the time `{seconds}`"))
                .because("it is further away than years are counted")
        })
}

#[cfg(test)]
mod tests {
    use bowline_contract::ConnectorName;
    use bowline_oci::layer::Node;

    use super::*;

    #[test]
    fn only_whole_connectors_of_others_are_told() {
        let mut base = Tree::default();
        for path in [
            "/opt/custom-connectors/shop/manifest.json",
            "/opt/custom-connectors/till/manifest.json",
            "/opt/custom-connectors/half/connector.py",
            "/opt/custom-connectors/deep/inside/manifest.json",
            "/opt/custom-etl-connectors/shop/manifest.json",
            "/opt/elsewhere/manifest.json",
            "/opt/custom-connectors/manifest.json",
        ] {
            base.add(path, Node::File);
        }
        let planned = [PlannedConnector {
            name: "shop".parse::<ConnectorName>().unwrap(),
            class: AssetClass::Warehouse,
            mode: None,
            root: format!("{WAREHOUSE_ROOT}/shop"),
            files: Vec::new(),
            requirements: Vec::new(),
            extra: None,
            manifest: Vec::new(),
        }];
        // Two platforms hold the same.
        let found = others_in_bases(&planned, [&base, &base].into_iter());
        let expected = [
            "/opt/custom-connectors/till",
            "/opt/custom-etl-connectors/shop",
        ];
        assert_eq!(Vec::from_iter(&found), expected.iter().collect::<Vec<_>>());
    }
}
