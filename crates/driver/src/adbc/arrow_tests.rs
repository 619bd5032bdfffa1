use arrow_array::builder::{Decimal256Builder, StringDictionaryBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    DurationSecondArray, FixedSizeBinaryArray, Float32Array, Int32Array, Int64Array, ListArray,
    NullArray, StringArray, StructArray, Time32SecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};

use super::*;

fn read(array: impl Array + 'static) -> Value {
    read_as(array, &[], Vendor::Other).unwrap()
}

fn read_as(
    array: impl Array + 'static,
    metadata: &[(&str, &str)],
    vendor: Vendor,
) -> Result<Value, SqlError> {
    let metadata = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect::<std::collections::HashMap<_, _>>();
    let field = Field::new("c", array.data_type().clone(), true).with_metadata(metadata);
    value(&array, 0, &field, vendor)
}

#[test]
fn numbers_are_exact() {
    assert_eq!(read(UInt64Array::from(vec![u64::MAX])), u64::MAX.into());
    assert_eq!(
        read(Float32Array::from(vec![0.1])),
        f64::from(0.1f32).into()
    );
    let decimal = Decimal128Array::from(vec![-1050]).with_precision_and_scale(10, 2);
    assert_eq!(read(decimal.unwrap()).to_string(), "-10.50");
    let mut wide = Decimal256Builder::new()
        .with_precision_and_scale(50, 3)
        .unwrap();
    wide.append_value(<Decimal256Type as ArrowPrimitiveType>::Native::from_i128(
        12_345,
    ));
    assert_eq!(read(wide.finish()).to_string(), "12.345");
}

#[test]
fn null_is_null_whatever_the_type() {
    assert_eq!(read(NullArray::new(1)), Value::Null);
    assert_eq!(read(BooleanArray::from(vec![None])), Value::Null);
    assert_eq!(read(Int32Array::from(vec![None])), Value::Null);
}

#[test]
fn dates_and_times_keep_their_precision_and_zone() {
    assert_eq!(
        read(Date32Array::from(vec![19_724])).to_string(),
        "2024-01-02"
    );
    assert_eq!(read(Date64Array::from(vec![-1])).to_string(), "1969-12-31");
    assert_eq!(
        read(Time32SecondArray::from(vec![59])).to_string(),
        "00:00:59"
    );
    let nanos = 1_704_164_645_123_456_789;
    assert_eq!(
        read(TimestampNanosecondArray::from(vec![nanos])).to_string(),
        "2024-01-02 03:04:05.123456789"
    );
    for (zone, text) in [
        ("UTC", "2024-01-02 03:04:05.123456789+00:00"),
        ("Europe/Paris", "2024-01-02 04:04:05.123456789+01:00"),
        ("-03:30", "2024-01-01 23:34:05.123456789-03:30"),
    ] {
        let zoned = TimestampNanosecondArray::from(vec![nanos]).with_timezone(zone);
        assert_eq!(read(zoned).to_string(), text);
    }
    let nowhere = TimestampNanosecondArray::from(vec![nanos]).with_timezone("Mars/Olympus");
    let error = read_as(nowhere, &[], Vendor::Other).unwrap_err();
    assert_eq!(
        error.message,
        "unknown time zone: column `c` is in `Mars/Olympus`"
    );
    assert_eq!(
        read(DurationSecondArray::from(vec![90])).to_string(),
        "PT1M30S"
    );
    assert!(
        read_as(
            DurationSecondArray::from(vec![i64::MAX]),
            &[],
            Vendor::Other
        )
        .is_err()
    );
}

#[test]
fn infinities_are_known_by_vendor() {
    let at = |count| TimestampMicrosecondArray::from(vec![count]);
    for (vendor, high, low) in [
        (Vendor::DuckDb, i64::MAX, -i64::MAX),
        (
            Vendor::PostgreSql,
            -9_222_425_352_054_775_809,
            -9_222_425_352_054_775_808,
        ),
    ] {
        assert_eq!(read_as(at(high), &[], vendor).unwrap(), "infinity".into());
        assert_eq!(read_as(at(low), &[], vendor).unwrap(), "-infinity".into());
    }
    let date = |days| Date32Array::from(vec![days]);
    assert_eq!(
        read_as(date(-2_147_472_692), &[], Vendor::PostgreSql).unwrap(),
        "infinity".into()
    );
    assert_eq!(
        read_as(date(-i32::MAX), &[], Vendor::DuckDb).unwrap(),
        "-infinity".into()
    );
}

#[test]
fn nested_values_keep_names_and_order() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
    assert_eq!(read(list), Value::List(vec![1i64.into(), Value::Null]));
    let columns: Vec<(Arc<Field>, ArrayRef)> = vec![
        (
            Arc::new(Field::new("b", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![2])),
        ),
        (
            Arc::new(Field::new("a", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["x"])),
        ),
    ];
    assert_eq!(read(StructArray::from(columns)).to_string(), "{b: 2, a: x}");
    let mut words = StringDictionaryBuilder::<Int8Type>::new();
    words.append_value("sad");
    assert_eq!(read(words.finish()), "sad".into());
}

#[test]
fn opaque_types_are_decoded_or_refused_by_name() {
    let opaque = |name: &str, bytes: &'static [u8]| {
        let metadata = format!("{{\"type_name\": \"{name}\"}}");
        read_as(
            BinaryArray::from(vec![bytes]),
            &[
                ("ARROW:extension:name", "arrow.opaque"),
                ("ARROW:extension:metadata", &metadata),
            ],
            Vendor::PostgreSql,
        )
    };
    for (name, bytes, text) in [
        ("xml", &b"<a/>"[..], "<a/>"),
        ("inet", &[2, 8, 0, 4, 10, 0, 0, 1], "10.0.0.1/8"),
        ("inet", &[2, 32, 0, 4, 10, 0, 0, 1], "10.0.0.1"),
        ("cidr", &[2, 8, 1, 4, 10, 0, 0, 0], "10.0.0.0/8"),
        ("varbit", &[0, 0, 0, 3, 160], "101"),
        ("macaddr", &[8, 0, 43, 1, 2, 3], "08:00:2b:01:02:03"),
        (
            "timetz",
            &[0, 0, 0, 2, 146, 85, 83, 64, 255, 255, 227, 224],
            "03:04:05+02:00",
        ),
    ] {
        assert_eq!(opaque(name, bytes).unwrap(), text.into(), "{name}");
    }
    for (name, bytes, text) in [
        ("bit", &[5, 253][..], "101"),
        (
            "time_tz",
            &[223, 196, 0, 64, 83, 85, 146, 2],
            "03:04:05+02:00",
        ),
        ("hugeint", &[255; 16], "-1"),
        (
            "uhugeint",
            &[255; 16],
            "340282366920938463463374607431768211455",
        ),
        ("bignum", &[128, 0, 2, 1, 0], "256"),
        ("bignum", &[127, 255, 253, 254, 255], "-256"),
    ] {
        let metadata = format!("{{\"type_name\":\"{name}\",\"vendor_name\":\"DuckDB\"}}");
        let value = read_as(
            BinaryArray::from(vec![bytes]),
            &[
                ("ARROW:extension:name", "arrow.opaque"),
                ("ARROW:extension:metadata", &metadata),
            ],
            Vendor::DuckDb,
        );
        assert_eq!(value.unwrap().to_string(), text, "{name}");
    }
    let error = opaque("point", &[0; 16]).unwrap_err();
    assert_eq!(error.kind, SqlErrorKind::UnsupportedType);
    assert_eq!(
        error.text(),
        "type is not supported: column `c` is of type `point`\nhint: cast it to text"
    );
    let money = read_as(
        Int64Array::from(vec![1]),
        &[("POSTGRESQL:type", "money")],
        Vendor::PostgreSql,
    );
    assert!(money.unwrap_err().message.contains("`money`"));
    let bytes: [u8; 16] = std::array::from_fn(|at| at as u8 * 17);
    let uuid = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap();
    assert_eq!(
        read_as(
            uuid,
            &[("ARROW:extension:name", "arrow.uuid")],
            Vendor::Other
        )
        .unwrap(),
        "00112233-4455-6677-8899-aabbccddeeff".into()
    );
    let oid = read_as(
        Int32Array::from(vec![-1]),
        &[("POSTGRESQL:type", "oid")],
        Vendor::PostgreSql,
    );
    assert_eq!(oid.unwrap(), 4_294_967_295i64.into());
}
