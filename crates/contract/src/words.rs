//! One macro for the contract's closed vocabularies: enums whose members each have a word and a line of explanation.

/// Declares an enum whose members carry the contract's word and a one-line description.
///
/// The description is the member's documentation too, so that it is written once.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident {
            $($Member:ident = $word:literal, $description:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name {
            $(#[doc = $description] $Member,)+
        }

        impl $Name {
            /// Every member, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$Member,)+];

            /// The contract's words, in its order.
            pub const NAMES: &'static [&'static str] = &[$($word,)+];

            /// The contract's word for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Member => $word,)+
                }
            }

            /// What it stands for, in one line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$Member => $description,)+
                }
            }

            /// The member with exactly this word.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.name() == name)
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&name, Self::NAMES)
                })
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::Capability;

    #[test]
    fn members_read_and_write_as_their_words() {
        let text = serde_json::to_string(Capability::ALL).unwrap();
        assert!(text.starts_with(r#"["supports_custom_sql_monitor","#));
        let read: Vec<Capability> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Capability::ALL);
        assert!(serde_json::from_str::<Capability>("\"supports_tea\"").is_err());
    }
}
