//! Letters that not every database can hold, and those that take their place there.

/// The letters of an encoding that lacks some of Unicode's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Those of western Europe: ISO 8859-1.
    Latin1,
    /// Those that every encoding has.
    Ascii,
}

impl Alphabet {
    /// Each, the widest first.
    pub const ALL: [Self; 2] = [Self::Latin1, Self::Ascii];

    /// The text with another letter in place of each that the alphabet lacks: always the same one, so that texts stay as
    /// long as they are, and parts of them parts.
    ///
    /// ```
    /// use bowline_query::Alphabet;
    ///
    /// assert_eq!(Alphabet::Latin1.spell("für 東京"), "für ÏÊ");
    /// assert_eq!(Alphabet::Ascii.spell("für 東京"), "fsr nq");
    /// ```
    #[must_use]
    pub fn spell(self, text: &str) -> String {
        let (last, first, letters) = match self {
            Self::Latin1 => ('\u{FF}', 'À', 22),
            Self::Ascii => ('\u{7F}', 'a', 26),
        };
        let spell = |letter: char| match letter {
            letter if letter <= last => letter,
            letter => {
                char::from_u32(u32::from(first) + u32::from(letter) % letters).unwrap_or(first)
            }
        };
        text.chars().map(spell).collect()
    }
}
