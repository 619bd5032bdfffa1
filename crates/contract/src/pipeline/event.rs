//! Assets and runs as connectors give them: JSON that need not be valid, and what is read of it by name.
//!
//! An accessor gives nothing where the field is absent or is not what the model says. Which of the two, and everything
//! else that is wrong, is told by validation.

use std::fmt;

use jiff::Timestamp;
use ref_cast::RefCast;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event_time::timestamp;
use super::{AssetType, RunStatus};

/// Declares a type over JSON with an accessor for each field that is read by name.
macro_rules! given {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident {
            $($(#[$field_meta:meta])* $field:ident: $kind:ident $(<$Type:ty>)?,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RefCast)]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $Name(Value);

        impl $Name {
            /// The JSON as one.
            #[must_use]
            pub const fn new(json: Value) -> Self {
                Self(json)
            }

            /// Borrowed JSON as one.
            #[must_use]
            pub fn of(json: &Value) -> &Self {
                Self::ref_cast(json)
            }

            /// Borrowed JSON as one, to be changed.
            pub fn of_mut(json: &mut Value) -> &mut Self {
                Self::ref_cast_mut(json)
            }

            /// The JSON.
            #[must_use]
            pub const fn json(&self) -> &Value {
                &self.0
            }

            /// The JSON, given up.
            #[must_use]
            pub fn into_json(self) -> Value {
                self.0
            }

            /// The fields, to be changed; nothing when it is no object.
            pub fn fields_mut(&mut self) -> Option<&mut Map<String, Value>> {
                self.0.as_object_mut()
            }

            /// Whether a field is there and says something.
            #[must_use]
            pub fn has(&self, field: &str) -> bool {
                match self.0.get(field) {
                    None | Some(Value::Null) => false,
                    Some(Value::Array(items)) => !items.is_empty(),
                    Some(Value::Object(fields)) => !fields.is_empty(),
                    Some(_) => true,
                }
            }

            $(given!(@accessor $kind $(<$Type>)? $field $(#[$field_meta])*);)+
        }

        impl From<Value> for $Name {
            fn from(json: Value) -> Self {
                Self(json)
            }
        }

        impl From<$Name> for Value {
            fn from(given: $Name) -> Self {
                given.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
    (@accessor text $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<&str> {
            text(&self.0, stringify!($field))
        }
    };
    (@accessor id $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<&str> {
            text(&self.0, stringify!($field)).filter(|id| !id.is_empty())
        }
    };
    (@accessor time $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<Timestamp> {
            timestamp(text(&self.0, stringify!($field))?).ok()
        }
    };
    (@accessor word<$Type:ty> $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<$Type> {
            <$Type>::from_name(text(&self.0, stringify!($field))?)
        }
    };
    (@accessor integer $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<i64> {
            self.0.get(stringify!($field))?.as_i64()
        }
    };
    (@accessor texts $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        pub fn $field(&self) -> impl Iterator<Item = &str> {
            items(&self.0, stringify!($field)).iter().filter_map(Value::as_str)
        }
    };
    (@accessor record<$Type:ty> $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(&self) -> Option<&$Type> {
            let record = self.0.get(stringify!($field))?;
            record.is_object().then(|| <$Type>::of(record))
        }
    };
    (@accessor records<$Type:ty> $field:ident $(#[$meta:meta])*) => {
        $(#[$meta])*
        pub fn $field(&self) -> impl Iterator<Item = &$Type> + Clone {
            items(&self.0, stringify!($field)).iter().map(<$Type>::of)
        }
    };
}

fn text<'v>(json: &'v Value, field: &str) -> Option<&'v str> {
    json.get(field)?.as_str()
}

fn items<'v>(json: &'v Value, field: &str) -> &'v [Value] {
    let items = json.get(field).and_then(Value::as_array);
    items.map_or(&[], Vec::as_slice)
}

given! {
    /// An [`Asset`](super::Asset) as a connector gives it.
    pub struct AssetEvent {
        /// The vendor's identifier of the job.
        job_source_id: id,
        /// What people call it.
        name: text,
        /// What it is for.
        description: text,
        /// Who answers for it.
        owner: record<GivenOwner>,
        /// Its tags and properties.
        properties: records<GivenProperty>,
        /// What it reads.
        inputs: records<GivenAssetRef>,
        /// What it writes.
        outputs: records<GivenAssetRef>,
        /// Its steps.
        tasks: records<GivenTask>,
    }
}

given! {
    /// A [`Run`](super::Run) as a connector gives it.
    pub struct RunEvent {
        /// The job it is a run of.
        job_source_id: id,
        /// The vendor's identifier of the run.
        run_source_id: id,
        /// The task, for the run of one.
        task_source_id: id,
        /// The attempt before this one.
        parent_attempt_run_source_id: id,
        /// What started it.
        trigger: text,
        /// How it stands.
        status: word<RunStatus>,
        /// When it came to stand so.
        event_time: time,
        /// When it began to wait for a place to run.
        queued_at: time,
        /// When its work began.
        start_time: time,
        /// When it ended.
        end_time: time,
        /// Which attempt it is, from 1.
        attempt_number: integer,
        /// What went wrong.
        error: record<GivenRunError>,
        /// Runs of its tasks.
        task_runs: records<RunEvent>,
        /// What it read.
        inputs: records<GivenAssetRef>,
        /// What it wrote.
        outputs: records<GivenAssetRef>,
    }
}

given! {
    /// A [`Task`](super::Task) as a connector gives it.
    pub struct GivenTask {
        /// The vendor's identifier of the task.
        task_source_id: id,
        /// What it is for.
        description: text,
        /// What it reads.
        inputs: records<GivenAssetRef>,
        /// What it writes.
        outputs: records<GivenAssetRef>,
        /// Tasks of the same job that come before it.
        upstream_task_source_ids: texts,
    }
}

given! {
    /// An [`Owner`](super::Owner) as a connector gives it.
    pub struct GivenOwner {
        /// The owner's address.
        primary_email: text,
        /// The owner's name.
        primary_name: text,
        /// The owner's team.
        team: text,
    }
}

given! {
    /// A [`Property`](super::Property) as a connector gives it.
    pub struct GivenProperty {
        /// Its key.
        key: text,
        /// Its value; a bare tag has none.
        value: text,
    }
}

given! {
    /// An [`AssetRef`](super::AssetRef) as a connector gives it.
    pub struct GivenAssetRef {
        /// What it is.
        asset_type: word<AssetType>,
        /// The platform's identifier of it.
        mcon: text,
        /// Its name with everything it stands in.
        fully_qualified_name: text,
    }
}

given! {
    /// A [`RunError`](super::RunError) as a connector gives it.
    pub struct GivenRunError {
        /// The error's text.
        message: text,
    }
}

impl RunEvent {
    /// Whether nothing can follow the status that it has.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status().is_some_and(RunStatus::is_terminal)
    }

    /// Runs of its tasks, to be changed.
    pub fn task_runs_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let tasks = self.0.get_mut("task_runs").and_then(Value::as_array_mut);
        tasks.into_iter().flatten().map(Self::of_mut)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_the_model_says_is_not_there() {
        let run = RunEvent::new(json!({
            "run_source_id": "", "job_source_id": 7, "status": "done", "event_time": "yesterday",
            "task_runs": [{"status": "success"}, 3], "error": "broken",
        }));
        assert_eq!((run.run_source_id(), run.job_source_id()), (None, None));
        assert_eq!((run.status(), run.event_time()), (None, None));
        assert_eq!(run.error(), None);
        let ended: Vec<bool> = run.task_runs().map(RunEvent::has_ended).collect();
        assert_eq!(ended, [true, false]);
        assert!(run.has("error") && !run.has("inputs"));
    }

    #[test]
    fn an_event_is_written_as_it_came() {
        let json = json!({"name": "b", "job_source_id": "a", "theirs": null});
        let mut asset = AssetEvent::new(json.clone());
        assert_eq!(asset.to_string(), json.to_string());
        asset
            .fields_mut()
            .unwrap()
            .insert("name".to_owned(), "c".into());
        assert_eq!(asset.name(), Some("c"));
        assert_eq!(AssetEvent::of(&json).name(), Some("b"));
        let mut run = RunEvent::new(json!({"task_runs": [{"status": "failed"}]}));
        for task in run.task_runs_mut() {
            task.fields_mut().unwrap().clear();
        }
        assert_eq!(run.json(), &json!({"task_runs": [{}]}));
    }
}
