//! Several statements in one round trip: each is sent before the answer to the one before it is there.
//!
//! The server takes them one after the other, each in a transaction of its own, so that one that is refused is nothing
//! to the others.

use std::collections::VecDeque;

use super::heard::Heard;
use super::statement::{Asked, BINARY, Connected, Protocol, Raw, Unrun, may_hold_several};
use crate::Limits;
use crate::changes::leading_word;
use crate::session::Done;

/// The most statements in one round trip.
pub(super) const AT_ONCE: usize = 8;

/// The most bytes of those behind the first: what a server's socket takes in while the server itself is busy writing
/// answers. It writes none before it has read the first.
const BYTES: usize = 32 * 1024;

/// What may be sent before the answer to another: it neither begins a transaction nor expects data of ours.
const PLAIN: [&str; 7] = [
    "ALTER", "CREATE", "DROP", "INSERT", "SELECT", "VALUES", "WITH",
];

impl Connected {
    /// Runs statements one after the other, and hands on what each comes to as soon as it is known.
    pub(super) fn run_all(
        &mut self,
        mut statements: &[String],
        limits: &Limits,
        done: &mut Done<'_>,
    ) {
        while let [first, others @ ..] = statements {
            let (now, later) = statements.split_at(self.together(statements));
            if now.len() < 2 {
                done(self.run(first, limits));
                statements = others;
            } else {
                self.run_together(now, limits, done);
                statements = later;
            }
        }
    }

    /// How many of the first statements go out together.
    fn together(&self, statements: &[String]) -> usize {
        if !self.is_idle() || self.is_broken {
            return 0;
        }
        let fit = fitting(statements).take_while(|sql| self.check(sql).is_ok());
        fit.count()
    }

    fn run_together(&mut self, statements: &[String], limits: &Limits, done: &mut Done<'_>) {
        self.wire.output.clear();
        for sql in statements {
            let asked = Asked {
                sql,
                value: None,
                formats: vec![BINARY],
            };
            if asked.write(limits, &mut self.wire.output).is_err() {
                // Alone it is told why.
                self.wire.output.clear();
                return statements
                    .iter()
                    .for_each(|sql| done(self.run(sql, limits)));
            }
        }
        let mut sent = Some(self.wire.send());
        // Without an answer, what must be run again.
        let mut waiting: VecDeque<(&String, Option<Result<Raw, Unrun>>)> = VecDeque::new();
        let mut stops = 0_usize;
        for sql in statements {
            let heard = Heard::new(Protocol::Extended, limits);
            let raw = self.hear(heard, sent.take().unwrap_or(Ok(())));
            // The server was told to stop one whose result is of no use, and may have stopped another.
            let raw = match raw {
                Err(unrun) if stops > 0 && unrun.is_stopped() => {
                    stops -= 1;
                    None
                }
                raw => Some(raw),
            };
            stops += usize::from(matches!(raw, Some(Err(Unrun::Failed(_)))));
            waiting.push_back((sql, raw));
            // What has more to ask asks it when all is heard, and keeps what is behind it waiting.
            while waiting.front().is_some_and(|(_, raw)| self.is_final(raw)) {
                if let Some((sql, Some(raw))) = waiting.pop_front() {
                    done(self.finish(sql, raw, limits));
                }
            }
        }
        for (sql, raw) in waiting {
            done(match raw {
                Some(raw) => self.finish(sql, raw, limits),
                None => self.run(sql, limits),
            });
        }
    }

    fn is_final(&self, raw: &Option<Result<Raw, Unrun>>) -> bool {
        match raw {
            Some(Ok(raw)) => raw.is_complete(&self.types),
            Some(Err(unrun)) => !unrun.is_of_no_binary_form(),
            None => false,
        }
    }
}

/// The first statements that may go out together, as far as their texts tell.
fn fitting(statements: &[String]) -> impl Iterator<Item = &String> {
    let mut behind = 0;
    let first = statements.iter().take(AT_ONCE).enumerate();
    let fit = first.take_while(move |(place, sql)| {
        behind += if *place == 0 { 0 } else { sql.len() };
        behind <= BYTES && PLAIN.contains(&&*leading_word(sql)) && !may_hold_several(sql)
    });
    fit.map(|(_, sql)| sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(statements: &[&str]) -> usize {
        let statements: Vec<String> = statements.iter().map(|sql| (*sql).to_owned()).collect();
        fitting(&statements).count()
    }

    #[test]
    fn what_a_socket_may_not_take_in_waits_unless_it_is_first() {
        let large = format!("SELECT '{}'", "a".repeat(BYTES));
        assert_eq!(fit(&["SELECT 1", "SELECT 2"]), 2);
        assert_eq!(fit(&[&large, "SELECT 2", "SELECT 3"]), 3);
        assert_eq!(fit(&["SELECT 1", &large, "SELECT 3"]), 1);
        assert_eq!(fit(&["SELECT 1", "BEGIN", "SELECT 3"]), 1);
        assert_eq!(fit(&["SELECT 1"; 20]), AT_ONCE);
    }
}
