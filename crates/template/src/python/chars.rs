//! Classes of characters as Python's text methods see them.

use unicode_general_category::{GeneralCategory, get_general_category};

/// `str.isspace` of one character; Python counts the four separators of ASCII too.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.strip()`
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.isalpha` of one character.
pub(crate) fn is_alpha(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    matches!(
        get_general_category(c),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
    )
}

/// `str.isdecimal` of one character.
pub(crate) fn is_decimal(c: char) -> bool {
    c.is_ascii_digit()
        || (!c.is_ascii() && get_general_category(c) == GeneralCategory::DecimalNumber)
}

/// Digits that are no decimals: superscripts, circled digits and their like.
const OTHER_DIGITS: [(u32, u32); 20] = [
    (0xb2, 0xb3),
    (0xb9, 0xb9),
    (0x1369, 0x1371),
    (0x19da, 0x19da),
    (0x2070, 0x2070),
    (0x2074, 0x2079),
    (0x2080, 0x2089),
    (0x2460, 0x2468),
    (0x2474, 0x247c),
    (0x2488, 0x2490),
    (0x24ea, 0x24ea),
    (0x24f5, 0x24fd),
    (0x24ff, 0x24ff),
    (0x2776, 0x277e),
    (0x2780, 0x2788),
    (0x278a, 0x2792),
    (0x10a40, 0x10a43),
    (0x10e60, 0x10e68),
    (0x11052, 0x1105a),
    (0x1f100, 0x1f10a),
];

/// `str.isdigit` of one character.
pub(crate) fn is_digit(c: char) -> bool {
    is_decimal(c)
        || OTHER_DIGITS
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

/// Whether the character is a number by its category; ideographs that mean numbers are not.
pub(crate) fn is_number(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    matches!(
        get_general_category(c),
        GeneralCategory::DecimalNumber
            | GeneralCategory::LetterNumber
            | GeneralCategory::OtherNumber
    )
}

/// `str.isalnum` of one character.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    is_alpha(c) || is_number(c)
}

/// `str.isprintable` of one character.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::SpaceSeparator
    )
}

/// Whether the character has a case, as titles and `isupper` count it.
pub(crate) fn is_titlecase(c: char) -> bool {
    !c.is_ascii() && get_general_category(c) == GeneralCategory::TitlecaseLetter
}

/// Whether the character is one whose form at the start of a word is not its upper case.
pub(crate) fn has_own_title_form(c: char) -> bool {
    const OWN_TITLE: [(u32, u32); 11] = [
        (0xdf, 0xdf),
        (0x1c4, 0x1cc),
        (0x1f1, 0x1f3),
        (0x587, 0x587),
        (0x10d0, 0x10ff),
        (0x1f80, 0x1faf),
        (0x1fb2, 0x1fbc),
        (0x1fc2, 0x1fcc),
        (0x1ff2, 0x1ffc),
        (0xfb00, 0xfb06),
        (0xfb13, 0xfb17),
    ];
    OWN_TITLE
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

/// The text with decimals of every script as ASCII digits; `None` when other characters are not ASCII.
pub(crate) fn plain_digits(text: &str) -> Option<String> {
    text.chars()
        .map(|c| {
            if c.is_ascii() {
                Some(c)
            } else if is_decimal(c) {
                char::from_digit(decimal_value(c), 10)
            } else {
                None
            }
        })
        .collect()
}

fn decimal_value(c: char) -> u32 {
    const MATHEMATICAL: std::ops::RangeInclusive<u32> = 0x1d7ce..=0x1d7ff;
    let code = u32::from(c);
    if MATHEMATICAL.contains(&code) {
        return (code - MATHEMATICAL.start()) % 10;
    }
    // Decimals stand in runs of ten from zero to nine, which start at a multiple of sixteen or six above one.
    let row = code & !0xf;
    let from_row = char::from_u32(row).is_some_and(is_decimal);
    if from_row {
        code - row
    } else {
        (code - row).saturating_sub(6)
    }
}
