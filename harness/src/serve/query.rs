//! The query of an address: what a form holds, in pairs.

/// Pairs of key and value, decoded, in the order of the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Most bytes of a query: several times what the largest form of ours makes.
    pub(super) const MAX_BYTES: usize = 32 << 10;

    /// Takes a query apart. Blank values are left out: an empty field is one that is not filled in.
    pub(super) fn parse(raw: &str) -> Query {
        let pairs =
            form_urlencoded::parse(raw.as_bytes()).map(|(key, value)| (key.into_owned(), value.trim().to_owned()));
        Query(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Key and value of each pair.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Every value of a key.
    pub(super) fn all<'q>(&'q self, key: &'q str) -> impl Iterator<Item = &'q str> {
        self.pairs().filter(move |(known, _)| *known == key).map(|(_, value)| value)
    }

    /// As an address has it, without a question mark.
    pub(super) fn written(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// A text from outside as a message shows it: its beginning.
pub(super) fn shown(text: &str) -> String {
    crate::report::clipped(text, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_as_itself_and_blanks_are_left_out() {
        let query = Query::parse("chip=h100&price=&chip=a%26b&model=a+b&x=%20");
        assert_eq!(query.all("chip").collect::<Vec<_>>(), ["h100", "a&b"]);
        assert_eq!(query.all("price").count() + query.all("x").count(), 0);
        assert_eq!(query.written(), "chip=h100&chip=a%26b&model=a+b");
        assert_eq!(Query::parse(&query.written()), query);
        // What is no UTF-8 is replaced, never refused: the field says what it holds.
        assert_eq!(Query::parse("model=%ff").all("model").collect::<Vec<_>>(), ["\u{fffd}"]);
    }
}
