//! How much may be asked for a list that moves: never more than a small multiple of what it costs when it stands still.

/// Requests for one list, over all its walks.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// Those of the first walk that went on to something new.
    forward: usize,
    /// All others: steps back, pages that held nothing new, walks to be sure.
    extra: usize,
    /// How many pages the longest whole walk had.
    walk: usize,
}

/// How the pages of a list lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// Each begins with the last record of the one before.
    Overlapping,
    /// Each begins behind the one before, so that only another walk shows what moved.
    Apart,
    /// Where the vendor says.
    Named,
}

impl Effort {
    pub(super) fn add(&mut self, is_forward: bool) {
        if is_forward {
            self.forward += 1;
        } else {
            self.extra += 1;
        }
    }

    /// A walk came to its end.
    pub(super) fn end(&mut self, pages: usize) {
        self.walk = self.walk.max(pages);
    }

    /// Whether another request that brings nothing new would be too many. `known` records were found, or are said
    /// to be there; at most `given` of them are on a page.
    ///
    /// What may be asked beside one walk is two thirds of three times what the list costs when it stands still; the rest
    /// is for records that come meanwhile.
    pub(super) fn is_spent(&self, lie: Lie, known: usize, given: usize) -> bool {
        let still = match lie {
            Lie::Overlapping => {
                known
                    .saturating_sub(1)
                    .div_ceil(given.saturating_sub(1).max(1))
                    + 1
            }
            // Once to read and once to be sure.
            Lie::Apart => 2 * self.walk.max(known.div_ceil(given.max(1))),
            Lie::Named => known.div_ceil(given.max(1)) + 1,
        };
        let still = still.max(self.forward);
        self.extra * 2 >= still * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_costs_at_most_three_times_what_it_costs_still() {
        // 150 records, 50 to a page: 0, 49, 98, 147, 149.
        let mut effort = Effort::default();
        let mut requests = 0;
        while !effort.is_spent(Lie::Overlapping, 150, 50) {
            effort.add(requests < 4);
            requests += 1;
        }
        assert!(requests <= 15, "{requests}");
        // The same by number: 3 pages, and an empty one, twice.
        let mut effort = Effort::default();
        effort.end(4);
        let mut requests = 0;
        while !effort.is_spent(Lie::Apart, 150, 50) {
            effort.add(requests < 3);
            requests += 1;
        }
        assert!((8..=24).contains(&requests), "{requests}");
    }
}
