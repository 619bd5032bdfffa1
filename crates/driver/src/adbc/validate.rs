//! What a driver hands over is checked before anything trusts it.
//!
//! Arrow's import takes a driver's word for its offsets and for its text being UTF-8. A driver that passes on the bytes of
//! a server in another encoding breaks that word, and reading such text as it is would be undefined behaviour.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Fields};

use super::arrow::type_name;
use crate::{SqlError, SqlErrorKind};

/// Checks the columns of a batch, whose first row is this one of the result, counted from 0.
///
/// # Errors
/// Kind `UnsupportedType` that names the column, and the row where it is text that is not UTF-8.
pub(super) fn columns(
    columns: &[ArrayRef],
    fields: &Fields,
    first_row: usize,
) -> Result<(), SqlError> {
    for (column, field) in columns.iter().zip(fields) {
        let data = column.to_data();
        let Err(fault) = data.validate_full() else {
            continue;
        };
        let refused = |message| SqlError::new(SqlErrorKind::UnsupportedType, message);
        return Err(match foreign_text(column) {
            Some(row) => refused(format!(
                "text is not UTF-8: column `{}`, row {}",
                field.name(),
                first_row + row + 1
            ))
            .hint(
                "have the server convert it (`client_encoding`, a cast), or ask for its bytes"
                    .to_owned(),
            ),
            None => refused(format!(
                "the driver's data is not valid: column `{}` of type `{}`: {fault}",
                field.name(),
                type_name(field)
            )),
        });
    }
    Ok(())
}

/// The first row of a column of text whose bytes are no UTF-8, reading nothing beyond the data.
fn foreign_text(column: &dyn Array) -> Option<usize> {
    let data = column.to_data();
    let [offsets, bytes] = data.buffers() else {
        return None;
    };
    let ends: Vec<Option<usize>> = match data.data_type() {
        DataType::Utf8 => (offsets.typed_data::<i32>().iter())
            .map(|end| usize::try_from(*end).ok())
            .collect(),
        DataType::LargeUtf8 => (offsets.typed_data::<i64>().iter())
            .map(|end| usize::try_from(*end).ok())
            .collect(),
        _ => return None,
    };
    let rows = ends.get(data.offset()..)?.windows(2).take(data.len());
    rows.map(|ends| bytes.get(ends[0]?..ends[1]?))
        .position(|text| text.is_some_and(|text| std::str::from_utf8(text).is_err()))
}

/// Does what Arrow's import does, which panics over a column's name that is not UTF-8.
///
/// # Errors
/// Kind `UnsupportedType` when it panics.
pub(super) fn guarded<T>(import: impl FnOnce() -> T) -> Result<T, SqlError> {
    thread_local! {
        static IS_IMPORTING: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_IMPORTING.get() {
                earlier(panic);
            }
        }));
    });
    IS_IMPORTING.set(true);
    let imported = catch_unwind(AssertUnwindSafe(import));
    IS_IMPORTING.set(false);
    imported.map_err(|_| {
        SqlError::new(
            SqlErrorKind::UnsupportedType,
            "the result cannot be read: the name of a column is not UTF-8",
        )
        .hint(
            "have the server convert it (`client_encoding`), or name the columns in the statement with `AS`"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array, StringArray, make_array};
    use arrow_schema::{DataType, Field, Fields};

    use super::{columns, guarded};

    /// Three texts, of which the last is the byte E9 alone, sliced so that the first row is the second.
    fn latin_1() -> ArrayRef {
        let valid: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        let builder = valid.to_data().into_builder();
        let foreign = builder.buffers(vec![
            valid.to_data().buffers()[0].clone(),
            vec![b'a', b'b', 0xE9].into(),
        ]);
        #[expect(
            unsafe_code,
            reason = "only what skips validation can hold what a driver may give"
        )]
        // SAFETY: nothing reads it but what is under test, which checks it first.
        let data = unsafe { foreign.build_unchecked() };
        make_array(data).slice(1, 2)
    }

    #[test]
    fn text_in_another_encoding_is_named_by_column_and_row() {
        let fields = Fields::from(vec![
            Field::new("n", DataType::Int32, true),
            Field::new("v", DataType::Utf8, true),
        ]);
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let right: ArrayRef = Arc::new(StringArray::from(vec!["é", ""]));
        assert!(columns(&[Arc::clone(&numbers), right], &fields, 0).is_ok());
        let error = columns(&[numbers, latin_1()], &fields, 40).unwrap_err();
        assert!(
            error
                .message
                .starts_with("text is not UTF-8: column `v`, row 42"),
            "{error:?}"
        );
    }

    #[test]
    fn a_panic_of_the_import_is_an_error() {
        assert_eq!(guarded(|| 1).ok(), Some(1));
        assert!(guarded(|| panic!("no text")).is_err());
    }
}
