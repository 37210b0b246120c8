//! Which entry names are read: relative ones that stay inside. Nothing is ever written under such a name; it only finds and
//! shows entries, so control characters are replaced as well.

/// The path in its normal form: `/` between folders, no `.`, no empty parts.
///
/// # Errors
/// Why an entry of that name is left alone, in words that follow the name.
pub(super) fn normal(raw: &str, max_depth: usize) -> Result<String, &'static str> {
    let path = raw.replace('\\', "/");
    if path.contains('\0') {
        return Err("its name contains a NUL character");
    }
    if path.starts_with('/') {
        return Err("its path is absolute");
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("its path leads out of the archive");
    }
    if parts.is_empty() {
        return Err("it has no name");
    }
    if parts.len() > max_depth {
        return Err("its folders are nested too deep");
    }
    let path = parts.join("/");
    if has_drive_letter(&path) {
        return Err("its path is absolute");
    }
    Ok(shown(&path))
}

/// The name as it may be printed on a terminal.
pub(super) fn shown(name: &str) -> String {
    name.chars().map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

/// What operating systems add to archives and folders; neither a record nor worth a word.
pub(super) fn is_litter(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("__MACOSX/")
        || path.contains("/__MACOSX/")
        || file.starts_with("._")
        || matches!(file, ".DS_Store" | "Thumbs.db")
}

fn has_drive_letter(path: &str) -> bool {
    let mut chars = path.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic()) && chars.next() == Some(':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_paths_that_stay_inside_are_read() {
        let check = |raw: &str, expected: Result<&str, &str>| assert_eq!(normal(raw, 4).as_deref(), expected.as_deref(), "{raw}");
        check("general/2016-01-02.json", Ok("general/2016-01-02.json"));
        check("./a//b.md", Ok("a/b.md"));
        check("a\\b.md", Ok("a/b.md"));
        check("a..b/c", Ok("a..b/c"));
        check("a\u{1b}[2Jb", Ok("a\u{fffd}[2Jb"));
        check("../etc/passwd", Err("its path leads out of the archive"));
        check("a\\..\\b", Err("its path leads out of the archive"));
        check("/etc/passwd", Err("its path is absolute"));
        check("\\\\host\\share", Err("its path is absolute"));
        check("C:\\x", Err("its path is absolute"));
        check(".\\C:\\x", Err("its path is absolute"));
        check("a\0b", Err("its name contains a NUL character"));
        check("./", Err("it has no name"));
        check("a/b/c/d/e", Err("its folders are nested too deep"));
    }

    #[test]
    fn litter_is_known_by_name() {
        for path in ["__MACOSX/a/._b.md", "x/.DS_Store", "x/._2016-01-02.json", "Thumbs.db"] {
            assert!(is_litter(path), "{path}");
        }
        assert!(!is_litter("general/2016-01-02.json"));
    }

    proptest! {
        #[test]
        fn a_normal_path_never_leads_out(raw in "[a-c./\\\\:\0]{0,24}") {
            if let Ok(path) = normal(&raw, 32) {
                prop_assert!(!path.starts_with('/') && path.split('/').all(|part| !part.is_empty() && part != ".."));
                prop_assert_eq!(normal(&path, 32), Ok(path));
            }
        }
    }
}
