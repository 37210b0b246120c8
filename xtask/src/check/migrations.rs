//! Both databases have the same migrations: the same file names, so that one history can be told of both.

use std::collections::BTreeSet;

use super::project::SourceFile;

const POSTGRES: &str = "yarnnn-store/migrations/postgres/";
const SQLITE: &str = "yarnnn-store/migrations/sqlite/";

/// Migrations that one database has and the other lacks.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    let (postgres, sqlite) = (names(files, POSTGRES), names(files, SQLITE));
    let lacks = |name: &&str, folder| format!("{folder}{name} is missing");
    let in_sqlite = postgres.difference(&sqlite).map(|name| lacks(name, SQLITE));
    in_sqlite.chain(sqlite.difference(&postgres).map(|name| lacks(name, POSTGRES))).collect()
}

fn names<'a>(files: &'a [SourceFile], folder: &str) -> BTreeSet<&'a str> {
    files.iter().filter_map(|file| file.path.strip_prefix(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;

    #[test]
    fn a_migration_of_one_database_alone_is_found() {
        let paths = ["postgres/0001_first.sql", "sqlite/0001_first.sql", "postgres/0002_jobs.sql", "sqlite/0003_mail.sql"];
        let files = paths.map(|path| file(&format!("yarnnn-store/migrations/{path}"), ""));
        assert_eq!(
            violations(&files),
            [
                "yarnnn-store/migrations/sqlite/0002_jobs.sql is missing",
                "yarnnn-store/migrations/postgres/0003_mail.sql is missing"
            ]
        );
        assert!(violations(&files[..2]).is_empty());
    }
}
