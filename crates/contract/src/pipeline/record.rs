//! Records of the pipeline model: one declaration gives a type and the table that validation walks.

/// One field of a record.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Whether it must be there.
    pub presence: Presence,
    /// What its value looks like.
    pub shape: Shape,
    /// What it means, in one line.
    pub about: &'static str,
}

/// Whether a field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must: neither absent nor null.
    Required,
    /// It may be absent; null counts as absent.
    Optional,
}

/// What a field's value looks like.
#[derive(Debug)]
pub enum Shape {
    /// Text; a required one holds more than blanks.
    Text,
    /// An ISO 8601 date and time with a zone.
    Time,
    /// True or false.
    Flag,
    /// A whole number, and its least value.
    Integer(i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// Keys and values of any kind.
    Dict,
    /// A record.
    Record(&'static [Field]),
    /// A list of records.
    Records(&'static [Field]),
    /// A list of asset refs, all on this side of the job.
    Refs(super::AssetRole),
    /// Runs of the job's tasks: runs themselves.
    TaskRuns,
}

/// The most fields that a record of the model may have.
pub(super) const MAX_FIELDS: usize = 32;

/// Declares a record: its type, with sparse JSON (no nulls, no empty lists), and its table of fields.
///
/// Fields are `required`, `optional` or `list`, and stand in the order in which they are written.
macro_rules! record {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident {
            $(
                $(#[doc = $about:literal])*
                $presence:ident $field:ident: $Type:ty => $shape:expr,
            )+
        }
    ) => {
        record!(@type { $(#[$meta])* $Name } {} $($(#[doc = $about])* $presence $field: $Type,)+);

        impl $Name {
            /// Its fields, in the order in which they are written.
            pub const FIELDS: &'static [crate::pipeline::Field] = &[
                $(crate::pipeline::Field {
                    name: stringify!($field),
                    presence: record!(@presence $presence),
                    shape: $shape,
                    about: concat!($($about),*).trim_ascii(),
                },)+
            ];
        }

        const _: () = assert!($Name::FIELDS.len() <= crate::pipeline::record::MAX_FIELDS);
    };
    (@presence required) => { crate::pipeline::Presence::Required };
    (@presence optional) => { crate::pipeline::Presence::Optional };
    (@presence list) => { crate::pipeline::Presence::Optional };
    (@type { $(#[$meta:meta])* $Name:ident } { $($done:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $Name {
            $($done)*
        }
    };
    (@type $head:tt { $($done:tt)* } $(#[$m:meta])* required $field:ident: $Type:ty, $($rest:tt)*) => {
        record!(@type $head { $($done)* $(#[$m])* pub $field: $Type, } $($rest)*);
    };
    (@type $head:tt { $($done:tt)* } $(#[$m:meta])* optional $field:ident: $Type:ty, $($rest:tt)*) => {
        record!(@type $head {
            $($done)*
            $(#[$m])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$Type>,
        } $($rest)*);
    };
    (@type $head:tt { $($done:tt)* } $(#[$m:meta])* list $field:ident: $Type:ty, $($rest:tt)*) => {
        record!(@type $head {
            $($done)*
            $(#[$m])*
            #[serde(
                default,
                deserialize_with = "crate::pipeline::record::list",
                skip_serializing_if = "Vec::is_empty"
            )]
            pub $field: Vec<$Type>,
        } $($rest)*);
    };
}

pub(super) use record;

/// Reads a list; null counts as an empty one.
pub(super) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    use serde::Deserialize;
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}
