//! What can be wrong with a field, in a word: operators over everything that a connector gives in it.

use std::fmt;

use bowline_contract::pipeline::{Asset, AssetRef, Field, Presence, Run, Shape};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

/// A field of the contract, wherever a job or a run has it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The names that lead to its records.
    path: Vec<&'static str>,
    field: &'static Field,
    /// The fields of its records.
    beside: &'static [Field],
}

impl Site {
    pub(super) fn of_jobs() -> Vec<Self> {
        let mut sites = Vec::new();
        below(&[], Asset::FIELDS, &mut sites);
        sites
    }

    pub(super) fn of_runs() -> Vec<Self> {
        let mut sites = Vec::new();
        below(&[], Run::FIELDS, &mut sites);
        sites
    }

    /// Everything that can be wrong with it.
    pub(super) fn operators(&self) -> Vec<Operator> {
        use Operator as O;
        let mut all = vec![
            O::First,
            O::Neighbour,
            O::SomeNeighbour,
            O::SomeLeftOut,
            O::Constant,
        ];
        if self.field.presence == Presence::Required {
            all.push(O::LeftOut);
        }
        match self.field.shape {
            Shape::Text => all.extend([O::Upper, O::Lower, O::Cut(64), O::Cut(255), O::Prefixed]),
            Shape::Time => all.extend([O::HourLater, O::InZone, O::WholeSeconds, O::WholeDays]),
            Shape::Flag => all.push(O::Turned),
            Shape::Integer(_) => all.extend([O::OneMore, O::Thousandfold]),
            Shape::Word(_) | Shape::Dict | Shape::Record(_) => {}
            Shape::Texts | Shape::Records(_) | Shape::Refs(_) | Shape::TaskRuns => {
                all.extend([
                    O::LosesFirst,
                    O::LosesLast,
                    O::EveryOther,
                    O::Twice,
                    O::AllOfAll,
                ]);
            }
        }
        let kin = self.beside.iter().filter(|other| {
            other.name != self.field.name && is_alike(&other.shape, &self.field.shape)
        });
        all.extend(kin.map(|other| O::Other(other.name)));
        all
    }

    pub(super) fn apply(&self, operator: Operator, events: &mut [&mut Json]) {
        let mut records: Vec<&mut Map<String, Json>> = Vec::new();
        for event in events {
            records_at(event, &self.path, &mut records);
        }
        records.retain(|record| record.contains_key(self.field.name));
        let said: Vec<Json> = records
            .iter()
            .map(|record| record[self.field.name].clone())
            .collect();
        for (place, record) in records.into_iter().enumerate() {
            let beside = |name: &str| record.get(name).cloned();
            match operator.value(&said, place, &self.field.shape, &beside) {
                Some(value) => drop(record.insert(self.field.name.to_owned(), value)),
                None => drop(record.shift_remove(self.field.name)),
            }
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.path {
            write!(f, "{name}.")?;
        }
        self.field.name.fmt(f)
    }
}

fn below(path: &[&'static str], fields: &'static [Field], sites: &mut Vec<Site>) {
    for field in fields {
        sites.push(Site {
            path: path.to_vec(),
            field,
            beside: fields,
        });
        let inner = match field.shape {
            Shape::Record(inner) | Shape::Records(inner) => inner,
            Shape::Refs(_) => AssetRef::FIELDS,
            Shape::TaskRuns if path.is_empty() => Run::FIELDS,
            _ => continue,
        };
        below(&[path, &[field.name]].concat(), inner, sites);
    }
}

fn records_at<'j>(json: &'j mut Json, path: &[&str], found: &mut Vec<&'j mut Map<String, Json>>) {
    match (json, path) {
        (Json::Array(items), _) => items
            .iter_mut()
            .for_each(|item| records_at(item, path, found)),
        (Json::Object(fields), []) => found.push(fields),
        (Json::Object(fields), [name, rest @ ..]) => {
            if let Some(inner) = fields.get_mut(*name) {
                records_at(inner, rest, found);
            }
        }
        _ => {}
    }
}

/// Whether two fields can be taken for each other.
fn is_alike(one: &Shape, other: &Shape) -> bool {
    matches!(
        (one, other),
        (Shape::Text, Shape::Text)
            | (Shape::Time, Shape::Time)
            | (Shape::Texts, Shape::Texts)
            | (Shape::Flag, Shape::Flag)
            | (Shape::Refs(_), Shape::Refs(_))
    )
}

/// One thing that is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    LeftOut,
    /// In every other record.
    SomeLeftOut,
    Constant,
    /// What the first record says, in all.
    First,
    /// What the next record says.
    Neighbour,
    /// The same in every third record.
    SomeNeighbour,
    Other(&'static str),
    HourLater,
    /// Local times as if they were UTC.
    InZone,
    WholeSeconds,
    WholeDays,
    Upper,
    Lower,
    Cut(usize),
    Prefixed,
    Turned,
    OneMore,
    Thousandfold,
    LosesFirst,
    LosesLast,
    EveryOther,
    Twice,
    /// What all records before it list, too.
    AllOfAll,
}

impl Operator {
    /// The name of its kind.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::LeftOut => "leaves it out",
            Self::SomeLeftOut => "leaves it out of every other record",
            Self::Constant => "gives one value for all",
            Self::First => "gives what the first record says for all",
            Self::Neighbour => "gives what the next record says",
            Self::SomeNeighbour => "gives what the next record says in every third",
            Self::Other(_) => "gives another field of the same kind",
            Self::HourLater => "moves it by an hour",
            Self::InZone => "gives local times as UTC",
            Self::WholeSeconds => "cuts it to seconds",
            Self::WholeDays => "cuts it to days",
            Self::Upper | Self::Lower => "writes it in capitals, or in small letters",
            Self::Cut(_) => "cuts it after 64 or 255 letters",
            Self::Prefixed => "puts something before it",
            Self::Turned => "says the opposite",
            Self::OneMore | Self::Thousandfold => "gives another number",
            Self::LosesFirst | Self::LosesLast | Self::EveryOther => "loses some of a list",
            Self::Twice => "gives each of a list twice",
            Self::AllOfAll => "adds up lists",
        }
    }

    fn value(
        self,
        said: &[Json],
        place: usize,
        shape: &Shape,
        beside: &dyn Fn(&str) -> Option<Json>,
    ) -> Option<Json> {
        let own = &said[place];
        let next = &said[(place + 1) % said.len()];
        let text = |change: &dyn Fn(&str) -> String| own.as_str().map(|text| json!(change(text)));
        let time = |change: &dyn Fn(Timestamp) -> Timestamp| {
            let at: Timestamp = own.as_str()?.parse().ok()?;
            Some(json!(change(at).to_string()))
        };
        let whole = |unit: i64| {
            time(&|at| Timestamp::from_second(at.as_second().div_euclid(unit) * unit).unwrap())
        };
        let list = |change: &dyn Fn(&mut Vec<Json>)| {
            let mut items = own.as_array()?.clone();
            change(&mut items);
            (!items.is_empty()).then_some(Json::Array(items))
        };
        match self {
            Self::LeftOut => None,
            Self::SomeLeftOut => place.is_multiple_of(2).then(|| own.clone()),
            Self::Constant => Some(match shape {
                Shape::Text => json!("something"),
                Shape::Time => json!("2026-04-30T08:15:30Z"),
                Shape::Flag => json!(true),
                Shape::Integer(_) => json!(7),
                Shape::Word(words) => json!(words[words.len() - 1]),
                _ => said[said.len() / 2].clone(),
            }),
            Self::First => Some(said[0].clone()),
            Self::Neighbour => Some(next.clone()),
            Self::SomeNeighbour => Some(if place % 3 == 1 { next } else { own }.clone()),
            Self::Other(name) => beside(name).or_else(|| Some(own.clone())),
            Self::HourLater => time(&|at| at + SignedDuration::from_hours(1)),
            Self::InZone => time(&|at| {
                let zone = TimeZone::get("America/New_York").unwrap();
                at + SignedDuration::from_secs(zone.to_offset(at).seconds().into())
            }),
            Self::WholeSeconds => whole(1),
            Self::WholeDays => whole(86_400),
            Self::Upper => text(&str::to_uppercase),
            Self::Lower => text(&str::to_lowercase),
            Self::Cut(most) => text(&|text| text.chars().take(most).collect()),
            Self::Prefixed => text(&|text| format!("x-{text}")),
            Self::Turned => Some(json!(!own.as_bool()?)),
            Self::OneMore => Some(json!(own.as_i64()? + 1)),
            Self::Thousandfold => Some(json!(own.as_i64()? * 1000)),
            Self::LosesFirst => list(&|items| drop(items.remove(0))),
            Self::LosesLast => list(&|items| drop(items.pop())),
            Self::EveryOther => list(&|items| {
                let mut place = 0;
                items.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
            }),
            Self::Twice => list(&|items| items.extend(items.clone())),
            Self::AllOfAll => {
                let mut all: Vec<Json> = Vec::new();
                for item in said[..=place].iter().filter_map(Json::as_array).flatten() {
                    if !all.contains(item) {
                        all.push(item.clone());
                    }
                }
                Some(Json::Array(all))
            }
        }
    }
}
