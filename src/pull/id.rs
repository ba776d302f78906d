//! A model's name on a hub, and a revision of it, as far as they may be let into an address or a path.

use std::str::FromStr;

use super::PullError;

/// `all-MiniLM-L6-v2` or `cross-encoder/ms-marco-MiniLM-L-12-v2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId(String);

impl ModelId {
    /// The last part: what the folder is called.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ModelId {
    type Err = PullError;

    fn from_str(text: &str) -> Result<Self, PullError> {
        let parts: Vec<&str> = text.split('/').collect();
        let sound = |part: &&str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && !part.ends_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
                && !part.contains("..")
        };
        if text.len() <= 96 && parts.len() <= 2 && parts.iter().all(sound) {
            return Ok(Self(text.to_owned()));
        }
        let from_address = text.strip_prefix("https://").and_then(|rest| {
            let parts: Vec<&str> = rest.split('/').skip(1).take(2).collect();
            parts.join("/").parse::<ModelId>().ok()
        });
        let hint = match from_address {
            Some(id) => format!("write its name alone: recscope models pull {id}"),
            None => {
                "write ORG/NAME as on the hub, e.g. cross-encoder/ms-marco-MiniLM-L-12-v2, or the path of a \
                     folder or archive that is here"
                    .into()
            }
        };
        Err(PullError::usage(format!("\"{text}\" is no name of a model")).hint(hint))
    }
}

/// A branch, a tag, a commit, or `refs/pr/N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(String);

impl Revision {
    /// In an address a revision is one step.
    pub fn in_url(&self) -> String {
        self.0.replace('/', "%2F")
    }
}

impl Default for Revision {
    fn default() -> Self {
        Self("main".into())
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Revision {
    type Err = PullError;

    fn from_str(text: &str) -> Result<Self, PullError> {
        let sound = text.len() <= 200
            && text.split('/').all(|part| {
                part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                    && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
                    && !part.contains("..")
            });
        if sound {
            return Ok(Self(text.to_owned()));
        }
        Err(PullError::usage(format!("\"{text}\" is no revision"))
            .hint("name a branch, a tag or a commit of the model's repository, or refs/pr/NUMBER"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_or_two_plain_words() {
        for text in ["bert-base-uncased", "BAAI/bge-base-zh-v1.5", "a/b_c.d", "_x/1"] {
            assert_eq!(text.parse::<ModelId>().unwrap().to_string(), text);
        }
        assert_eq!("BAAI/bge-base-zh-v1.5".parse::<ModelId>().unwrap().name(), "bge-base-zh-v1.5");
        let long = "x".repeat(97);
        for text in [
            "", "/", "a/", "/a", "a/b/c", "..", "a/..", "../a", ".a/b", "-a", "a b", "a/b?x", "a%2f",
            "a\u{1b}b", "模型/a", "a..b", "a/b.", "a\\b", &long,
        ] {
            assert!(text.parse::<ModelId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_turned_into_a_suggestion() {
        let error = "https://huggingface.co/BAAI/bge-m3/tree/main".parse::<ModelId>().unwrap_err();
        assert!(error.hint.unwrap().contains("recscope models pull BAAI/bge-m3"));
    }

    #[test]
    fn revisions_stay_one_step_of_the_address() {
        assert_eq!("refs/pr/1".parse::<Revision>().unwrap().in_url(), "refs%2Fpr%2F1");
        for text in ["", "a/../b", "../x", "a?b", "a#b", "/x", "x/", "a b", "--x", "a%2f"] {
            assert!(text.parse::<Revision>().is_err(), "{text:?}");
        }
    }
}
