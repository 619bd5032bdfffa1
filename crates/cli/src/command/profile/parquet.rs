//! Metrics as a Parquet file: a row for each number, the number itself and the exact text of it side by side, as a
//! decimal or a large count is more than a double holds.

use std::sync::Arc;

use bowline_profile::{Outcome, Profile};
use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{NOT_COMPUTED, numbers};

/// A column of text, or of none where that is missing.
type Texts = Vec<Option<String>>;

/// The file's bytes; `redact` takes what is secret out of texts.
pub(super) fn bytes(
    found: &Profile,
    redact: impl Fn(&str) -> String,
) -> Result<Vec<u8>, ParquetError> {
    let mut texts: [Texts; 5] = Default::default();
    let mut values = Vec::new();
    for number in numbers(found) {
        let (written, error) = match number.outcome {
            Outcome::Value(value) | Outcome::Estimated(value) if value.is_null() => (None, None),
            Outcome::Value(value) | Outcome::Estimated(value) => (Some(value.to_string()), None),
            Outcome::Failed(error) => (None, Some(redact(&error.text()))),
            Outcome::NotReached => (None, Some(NOT_COMPUTED.to_owned())),
        };
        values.push(written.as_deref().and_then(|written| written.parse().ok()));
        let exact = written.filter(|_| !matches!(number.outcome, Outcome::Estimated(_)));
        let row = [
            number.start.map(&redact),
            Some(redact(number.column)),
            Some(number.metric.name.to_owned()),
            exact.map(|exact| redact(&exact)),
            error,
        ];
        for (column, text) in texts.iter_mut().zip(row) {
            column.push(text);
        }
    }
    let [starts, columns, metrics, exact, errors] = texts;
    let schema = Type::group_type_builder("metrics")
        .with_fields(vec![
            text("bucket", Repetition::OPTIONAL)?,
            text("column", Repetition::REQUIRED)?,
            text("metric", Repetition::REQUIRED)?,
            field(
                "value",
                Physical::DOUBLE,
                ConvertedType::NONE,
                Repetition::OPTIONAL,
            )?,
            text("exact", Repetition::OPTIONAL)?,
            text("error", Repetition::OPTIONAL)?,
        ])
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_created_by(format!("bowline {}", env!("BOWLINE_VERSION")));
    let mut bytes = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties.build()))?;
    let mut rows = file.next_row_group()?;
    put_texts(&mut rows, starts)?;
    put_texts(&mut rows, columns)?;
    put_texts(&mut rows, metrics)?;
    put::<DoubleType>(&mut rows, values)?;
    put_texts(&mut rows, exact)?;
    put_texts(&mut rows, errors)?;
    rows.close()?;
    file.close()?;
    Ok(bytes)
}

fn text(name: &str, repetition: Repetition) -> Result<Arc<Type>, ParquetError> {
    field(name, Physical::BYTE_ARRAY, ConvertedType::UTF8, repetition)
}

fn field(
    name: &str,
    physical: Physical,
    converted: ConvertedType,
    repetition: Repetition,
) -> Result<Arc<Type>, ParquetError> {
    let field = Type::primitive_type_builder(name, physical)
        .with_converted_type(converted)
        .with_repetition(repetition);
    Ok(Arc::new(field.build()?))
}

fn put_texts(
    rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    texts: Texts,
) -> Result<(), ParquetError> {
    let texts = texts.into_iter();
    let texts = texts.map(|text| text.map(|text| ByteArray::from(text.into_bytes())));
    put::<ByteArrayType>(rows, texts.collect())
}

/// Writes the next column. A level of 1 says that a value is there; a column that is never missing takes no levels.
fn put<T: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: Vec<Option<T::T>>,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = values
        .iter()
        .map(|value| i16::from(value.is_some()))
        .collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    if let Some(mut column) = rows.next_column()? {
        column
            .typed::<T>()
            .write_batch(&there, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bowline_contract::Metric;
    use bowline_driver::{SqlError, SqlErrorKind, Value};
    use bowline_profile::{ProfiledColumn, Slice};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn a_number_is_there_as_a_double_and_exactly() {
        let metrics = [
            "sum",
            "zero_count",
            "nan_count",
            "numeric_mean",
            "approx_distinct_count",
        ];
        let found = Profile {
            columns: vec![ProfiledColumn {
                name: "amount".to_owned(),
                kind: None,
                refused: None,
                metrics: metrics
                    .iter()
                    .map(|name| Metric::find(name).unwrap())
                    .collect(),
            }],
            slices: vec![Slice {
                start: None,
                rows: 3,
                outcomes: vec![vec![
                    Outcome::Value(Value::Integer(9_007_199_254_740_993)),
                    Outcome::Value(Value::Null),
                    Outcome::Failed(SqlError::new(SqlErrorKind::Permission, "hush: no ISNAN")),
                    Outcome::NotReached,
                    Outcome::Estimated(Value::Integer(12)),
                ]],
            }],
            statements: 1,
            has_changed: false,
            estimates: None,
        };
        let bytes = bytes(&found, |text| text.replace("hush", "***")).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let rows: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert_eq!(
            rows,
            [
                "{bucket: null, column: \"amount\", metric: \"sum\", value: 9007199254740992.0, exact: \"9007199254740993\", error: null}",
                "{bucket: null, column: \"amount\", metric: \"zero_count\", value: null, exact: null, error: null}",
                "{bucket: null, column: \"amount\", metric: \"nan_count\", value: null, exact: null, error: \"***: no ISNAN\"}",
                "{bucket: null, column: \"amount\", metric: \"numeric_mean\", value: null, exact: null, error: \"not computed\"}",
                "{bucket: null, column: \"amount\", metric: \"approx_distinct_count\", value: 12.0, exact: null, error: null}",
            ]
        );
    }
}
