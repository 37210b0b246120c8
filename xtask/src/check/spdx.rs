//! Reads a licence expression (`MIT OR (Apache-2.0 AND ISC)`) and says whether a list of licences satisfies it.
//!
//! Also reads the old form with a slash for OR. It knows no licences: they are compared as they are written.

/// Deeper than any real expression; ends the recursion on a hostile one.
const DEEPEST: usize = 32;

type Answer = Result<bool, &'static str>;

/// Whether the allowed licences satisfy the expression; the error says why it cannot be read.
pub(crate) fn allows(expression: &str, allowed: &[String]) -> Answer {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut reader = Reader { words: spaced.split_whitespace().peekable(), allowed, depth: 0 };
    let answer = reader.either()?;
    match reader.words.next() {
        None => Ok(answer),
        Some(_) => Err("something follows its end"),
    }
}

struct Reader<'a, W: Iterator<Item = &'a str>> {
    words: std::iter::Peekable<W>,
    allowed: &'a [String],
    depth: usize,
}

impl<'a, W: Iterator<Item = &'a str>> Reader<'a, W> {
    fn either(&mut self) -> Answer {
        let mut answer = self.all()?;
        while self.takes("OR") {
            answer |= self.all()?;
        }
        Ok(answer)
    }

    fn all(&mut self) -> Answer {
        let mut answer = self.one()?;
        while self.takes("AND") {
            answer &= self.one()?;
        }
        Ok(answer)
    }

    fn one(&mut self) -> Answer {
        match self.words.next() {
            None => Err("it ends too early"),
            Some("(") => self.group(),
            Some(")" | "OR" | "AND" | "WITH") => Err("a licence is missing"),
            Some(licence) => self.licence(licence),
        }
    }

    fn group(&mut self) -> Answer {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply");
        }
        let answer = self.either()?;
        self.depth -= 1;
        if self.takes(")") { Ok(answer) } else { Err("a parenthesis is not closed") }
    }

    fn licence(&mut self, licence: &str) -> Answer {
        if !self.takes("WITH") {
            return Ok(self.has(licence));
        }
        let exception = self.words.next().ok_or("it ends too early")?;
        Ok(self.has(&format!("{licence} WITH {exception}")))
    }

    fn takes(&mut self, word: &str) -> bool {
        self.words.next_if(|next| *next == word).is_some()
    }

    fn has(&self, licence: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(expression: &str) -> Answer {
        allows(expression, &["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from))
    }

    #[test]
    fn one_of_several_or_all_of_them() {
        for allowed in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "ISC AND (GPL-3.0 OR MIT)", "Apache-2.0 WITH LLVM-exception"] {
            assert_eq!(ask(allowed), Ok(true), "{allowed}");
        }
        for refused in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND BUSL-1.1", "MIT WITH Classpath-exception-2.0"] {
            assert_eq!(ask(refused), Ok(false), "{refused}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert_eq!(ask("MIT OR GPL-3.0 AND GPL-2.0"), Ok(true));
        assert_eq!(ask("(MIT OR GPL-3.0) AND GPL-2.0"), Ok(false));
    }

    #[test]
    fn what_cannot_be_read_is_no_permission() {
        for broken in ["", "MIT OR", "MIT ISC", "(MIT", "AND MIT", "MIT WITH"] {
            assert!(ask(broken).is_err(), "{broken}");
        }
        assert_eq!(ask(&"(".repeat(100_000)), Err("it is nested too deeply"));
    }

    proptest! {
        #[test]
        fn no_expression_makes_it_panic(text in "(MIT|OR|AND|WITH|\\(|\\)|/| |ü){0,40}") {
            _ = ask(&text);
        }
    }
}
