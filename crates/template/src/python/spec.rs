//! Python's format specifications: what may stand after the `:` of a replacement field.

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive};

use super::fault::{Outcome, check_text, type_fault, unsupported, value_fault};
use super::form::{float_repr, to_text};
use super::number::{as_integer, digits, to_float};
use super::value::Value;

/// A format specification, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spec {
    fill: char,
    align: Option<Align>,
    sign: Option<char>,
    negative_zero: bool,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
    Centre,
    AfterSign,
}

impl Align {
    fn of(c: char) -> Option<Align> {
        Some(match c {
            '<' => Align::Left,
            '>' => Align::Right,
            '^' => Align::Centre,
            '=' => Align::AfterSign,
            _ => return None,
        })
    }
}

/// Python's `format(value, spec)`.
pub(crate) fn format_value(value: &Value, spec: &str) -> Outcome<String> {
    if let Value::Moment(moment) = value {
        return moment.format(spec);
    }
    if spec.is_empty() {
        return to_text(value);
    }
    match value {
        Value::Str(text) => format_text(text, spec),
        Value::Float(number) => format_float(*number, &parse(spec, Align::Right, value)?, value),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            let parsed = parse(spec, Align::Right, value)?;
            match as_integer(value) {
                Some(number) => format_integer(&number, &parsed, value),
                None => to_text(value),
            }
        }
        Value::Markup(_) => unsupported("a format specification for a text marked safe"),
        _ => type_fault(format!(
            "a `{}` takes no format specification",
            value.type_name()
        )),
    }
}

/// Python's `format(text, spec)`.
pub(crate) fn format_text(text: &str, spec: &str) -> Outcome<String> {
    let value = Value::None;
    let spec = parse(spec, Align::Left, &value)?;
    let refused = match &spec {
        Spec {
            kind: Some(kind), ..
        } if *kind != 's' => Some(format!("unknown format code `{kind}` for a text")),
        Spec { sign: Some(_), .. } => Some("a sign in the format of a text".to_owned()),
        Spec {
            negative_zero: true,
            ..
        } => Some("`z` in the format of a text".to_owned()),
        Spec {
            alternate: true, ..
        } => Some("`#` in the format of a text".to_owned()),
        Spec {
            align: Some(Align::AfterSign),
            ..
        } => Some("`=` in the format of a text".to_owned()),
        Spec {
            grouping: Some(sign),
            ..
        } => Some(format!("`{sign}` in the format of a text")),
        _ => None,
    };
    if let Some(message) = refused {
        return value_fault(message);
    }
    let shown: String = match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    pad("", &shown, &spec, Align::Left)
}

fn parse(spec: &str, default: Align, value: &Value) -> Outcome<Spec> {
    let chars: Vec<char> = spec.chars().collect();
    let mut at = 0;
    let mut parsed = Spec {
        fill: ' ',
        align: None,
        sign: None,
        negative_zero: false,
        alternate: false,
        width: 0,
        grouping: None,
        precision: None,
        kind: None,
    };
    let mut fill_given = false;
    if let Some(align) = chars.get(1).copied().and_then(Align::of) {
        parsed.fill = chars[0];
        parsed.align = Some(align);
        fill_given = true;
        at = 2;
    } else if let Some(align) = chars.first().copied().and_then(Align::of) {
        parsed.align = Some(align);
        at = 1;
    }
    if let Some(sign) = chars.get(at).filter(|c| matches!(c, '+' | '-' | ' ')) {
        parsed.sign = Some(*sign);
        at += 1;
    }
    let mut flag = |sign: char| {
        let found = chars.get(at) == Some(&sign);
        at += usize::from(found);
        found
    };
    parsed.negative_zero = flag('z');
    parsed.alternate = flag('#');
    if !fill_given && flag('0') {
        parsed.fill = '0';
        if parsed.align.is_none() && default == Align::Right {
            parsed.align = Some(Align::AfterSign);
        }
    }
    if let Some(width) = number(&chars, &mut at)? {
        parsed.width = width;
    }
    for sign in [',', '_'] {
        if chars.get(at) == Some(&sign) {
            if parsed.grouping.is_some() {
                return value_fault("both `,` and `_` in a format specification");
            }
            parsed.grouping = Some(sign);
            at += 1;
        }
    }
    if parsed.grouping.is_some() && matches!(chars.get(at), Some(',' | '_')) {
        return value_fault("two signs for grouping in a format specification");
    }
    if chars.get(at) == Some(&'.') {
        at += 1;
        parsed.precision = number(&chars, &mut at)?;
        if parsed.precision.is_none() {
            return value_fault("a format specification without its precision");
        }
    }
    match chars.get(at..) {
        None | Some([]) => {}
        Some([kind]) => parsed.kind = Some(*kind),
        Some(_) => {
            return value_fault(format!(
                "invalid format specification `{spec}` for a `{}`",
                value.type_name()
            ));
        }
    }
    if let Some(sign) = parsed.grouping {
        let fits = match parsed.kind {
            None | Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => true,
            Some('b' | 'o' | 'x' | 'X') => sign == '_',
            Some(_) => false,
        };
        if !fits {
            return value_fault(format!("`{sign}` does not go with this format code"));
        }
    }
    check_text(parsed.width)?;
    check_text(parsed.precision.unwrap_or(0))?;
    Ok(parsed)
}

fn number(chars: &[char], at: &mut usize) -> Outcome<Option<usize>> {
    let start = *at;
    while chars.get(*at).is_some_and(char::is_ascii_digit) {
        *at += 1;
    }
    if start == *at {
        return Ok(None);
    }
    let digits: String = chars[start..*at].iter().collect();
    match digits.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => value_fault("too many digits in a format specification"),
    }
}

fn pad(prefix: &str, body: &str, spec: &Spec, default: Align) -> Outcome<String> {
    let length = prefix.chars().count() + body.chars().count();
    let missing = spec.width.saturating_sub(length);
    check_text(missing * spec.fill.len_utf8() + body.len())?;
    let fill = |count: usize| spec.fill.to_string().repeat(count);
    Ok(match spec.align.unwrap_or(default) {
        Align::Left => format!("{prefix}{body}{}", fill(missing)),
        Align::Right => format!("{}{prefix}{body}", fill(missing)),
        Align::Centre => format!(
            "{}{prefix}{body}{}",
            fill(missing / 2),
            fill(missing - missing / 2)
        ),
        Align::AfterSign => format!("{prefix}{}{body}", fill(missing)),
    })
}

fn sign_of(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    }
}

fn format_integer(number: &BigInt, spec: &Spec, value: &Value) -> Outcome<String> {
    let kind = spec.kind.unwrap_or('d');
    let radix = match kind {
        'b' => 2,
        'o' => 8,
        'x' | 'X' => 16,
        'd' | 'n' => 10,
        'c' => return format_character(number, spec),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => {
            return format_float(to_float(number)?, spec, value);
        }
        _ => return unknown_code(kind, value),
    };
    if spec.precision.is_some() {
        return value_fault("a precision in the format of a whole number");
    }
    if spec.negative_zero {
        return value_fault("`z` in the format of a whole number");
    }
    let mut body = if radix == 10 {
        digits(&number.abs())?
    } else {
        number.abs().to_str_radix(radix)
    };
    if kind == 'X' {
        body = body.to_uppercase();
    }
    let mut prefix = sign_of(number.sign() == Sign::Minus, spec).to_owned();
    if spec.alternate && radix != 10 {
        prefix.push('0');
        prefix.push(kind);
    }
    let group = if radix == 10 { 3 } else { 4 };
    finish(&prefix, &body, "", spec, group)
}

fn format_character(number: &BigInt, spec: &Spec) -> Outcome<String> {
    if spec.sign.is_some() || spec.alternate || spec.precision.is_some() || spec.negative_zero {
        return value_fault("a sign, `#`, `z` or precision with the format code `c`");
    }
    let Some(c) = number.to_u32().and_then(char::from_u32) else {
        return value_fault("the format code `c` takes the number of a character");
    };
    pad("", &c.to_string(), spec, Align::Right)
}

fn format_float(number: f64, spec: &Spec, value: &Value) -> Outcome<String> {
    let layout = match (spec.kind, spec.precision) {
        (None, None) => FloatLayout::Shortest,
        (None, Some(precision)) => FloatLayout::General {
            precision,
            keep_point: true,
        },
        (Some('e' | 'E'), precision) => FloatLayout::Scientific(precision.unwrap_or(6)),
        (Some('f' | 'F' | '%'), precision) => FloatLayout::Fixed(precision.unwrap_or(6)),
        (Some('g' | 'G' | 'n'), precision) => FloatLayout::General {
            precision: precision.unwrap_or(6),
            keep_point: false,
        },
        (Some(kind), _) => return unknown_code(kind, value),
    };
    let shown = if spec.kind == Some('%') {
        number * 100.0
    } else {
        number
    };
    let mut body = float_body(shown, layout, spec.alternate);
    let mut negative = shown.is_sign_negative() && !shown.is_nan();
    if spec.negative_zero
        && negative
        && !body.chars().any(|c| ('1'..='9').contains(&c))
        && shown.is_finite()
    {
        negative = false;
    }
    if matches!(spec.kind, Some('E' | 'G' | 'F')) {
        body = body.to_uppercase();
    }
    if spec.kind == Some('%') {
        body.push('%');
    }
    let whole = body.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = body.split_at(whole);
    finish(sign_of(negative, spec), whole, rest, spec, 3)
}

fn unknown_code<T>(kind: char, value: &Value) -> Outcome<T> {
    value_fault(format!(
        "unknown format code `{kind}` for a `{}`",
        value.type_name()
    ))
}

/// Groups the digits, fills them up and adds what goes around them.
fn finish(prefix: &str, whole: &str, rest: &str, spec: &Spec, group: usize) -> Outcome<String> {
    let Some(sign) = spec.grouping else {
        return pad(prefix, &format!("{whole}{rest}"), spec, Align::Right);
    };
    let zeros_between = spec.fill == '0' && spec.align == Some(Align::AfterSign);
    let least = if zeros_between {
        spec.width.saturating_sub(prefix.len() + rest.len())
    } else {
        0
    };
    check_text(least + whole.len() * 2)?;
    if whole.is_empty() {
        return pad(prefix, rest, spec, Align::Right);
    }
    let mut left = whole.len();
    let mut missing = least;
    let mut groups: Vec<String> = Vec::new();
    loop {
        let size = group.min(left.max(missing).max(1));
        let taken = size.min(left);
        groups.push("0".repeat(size - taken) + &whole[left - taken..left]);
        left -= taken;
        missing = missing.saturating_sub(size);
        if left == 0 && missing == 0 {
            break;
        }
        missing = missing.saturating_sub(1);
    }
    groups.reverse();
    let grouped = groups.join(&sign.to_string());
    pad(prefix, &format!("{grouped}{rest}"), spec, Align::Right)
}

/// How the digits of a float are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FloatLayout {
    /// As `repr` has it.
    Shortest,
    /// `f`, with so many places.
    Fixed(usize),
    /// `e`, with so many places.
    Scientific(usize),
    /// `g`, with so many digits.
    General {
        /// How many digits count.
        precision: usize,
        /// Whether a whole number keeps `.0`.
        keep_point: bool,
    },
}

/// The digits of a float without its sign.
pub(crate) fn float_body(number: f64, layout: FloatLayout, alternate: bool) -> String {
    let number = number.abs();
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return "inf".to_owned();
    }
    let point = |text: String| {
        if alternate && !text.contains('.') {
            match text.split_once('e') {
                Some((mantissa, exponent)) => format!("{mantissa}.e{exponent}"),
                None => text + ".",
            }
        } else {
            text
        }
    };
    match layout {
        FloatLayout::Shortest => point(float_repr(number)),
        FloatLayout::Fixed(places) => point(fixed(number, places)),
        FloatLayout::Scientific(places) => {
            let (mantissa, exponent) = scientific(number, places);
            point(with_exponent(&mantissa, exponent))
        }
        FloatLayout::General {
            precision,
            keep_point,
        } => {
            let precision = precision.max(1);
            let (mantissa, exponent) = scientific(number, precision - 1);
            let last = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(keep_point);
            if exponent < -4 || i64::from(exponent) >= last {
                let mantissa = if alternate {
                    mantissa
                } else {
                    shorten(&mantissa)
                };
                return point(with_exponent(&mantissa, exponent));
            }
            let places = i64::try_from(precision).unwrap_or(0) - 1 - i64::from(exponent);
            let places = usize::try_from(places).unwrap_or(0);
            let fixed = fixed(number, places);
            let fixed = if alternate { fixed } else { shorten(&fixed) };
            if keep_point && !fixed.contains('.') {
                return fixed + ".0";
            }
            point(fixed)
        }
    }
}

/// No float has more places than this; after them come zeros. Rust's own formatting takes no precision above 65,535.
const MOST_PLACES: usize = 1100;

/// The number with so many places after the point.
fn fixed(number: f64, places: usize) -> String {
    let exact = places.min(MOST_PLACES);
    format!("{number:.exact$}") + &"0".repeat(places - exact)
}

/// The digits with one before the point, and the power of ten.
fn scientific(number: f64, places: usize) -> (String, i32) {
    let exact = places.min(MOST_PLACES);
    let text = format!("{number:.exact$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.to_owned() + &"0".repeat(places - exact);
    (mantissa, exponent.parse().unwrap_or(0))
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn shorten(digits: &str) -> String {
    if digits.contains('.') {
        digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        digits.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_beyond_all_digits_of_a_float_are_zeros() {
        let fixed = float_body(0.1, FloatLayout::Fixed(70_000), false);
        assert!(fixed.starts_with("0.1000000000000000055511151231257827"));
        assert!(fixed.len() == 70_002 && fixed.ends_with("0000"));
        let scientific = float_body(5e-324, FloatLayout::Scientific(70_000), false);
        assert!(scientific.starts_with("4.940656458412465441765687928682213723650598"));
        assert!(scientific.len() == 70_007 && scientific.ends_with("0000e-324"));
        let general = FloatLayout::General {
            precision: 70_000,
            keep_point: false,
        };
        assert_eq!(float_body(0.5, general, false), "0.5");
    }
}
