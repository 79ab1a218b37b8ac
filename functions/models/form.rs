//! Forms as gateways read them: `name=value&…`, names with brackets for what lies inside.

/// The fields of a form, in their order.
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// None where it is no text.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let field = |field: &str| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            Some((plain(name)?, plain(value)?))
        };
        text.split('&').filter(|part| !part.is_empty()).map(field).collect::<Option<_>>().map(Self)
    }

    /// The first value of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// What lies inside this name: of `metadata[a]=b` the pair of `a` and `b`.
    pub fn inside<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(known, value)| {
            let member = known.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((member, value.as_str()))
        })
    }
}

/// Without its escapes; none where that is no text.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                (high << 4) | low
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_it_was_meant() {
        let form = Form::parse(b"metadata%5Ba%20b%5D=%E6%97%A5+%26&x=&y&metadata[c]=d").expect("a form");
        assert_eq!(form.inside("metadata").collect::<Vec<_>>(), [("a b", "日 &"), ("c", "d")]);
        assert_eq!([form.text("x"), form.text("y"), form.text("z")], [Some(""), Some(""), None]);
        assert_eq!(form.names().count(), 4);
        for body in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"\xff"] {
            assert!(Form::parse(body).is_none());
        }
    }
}
