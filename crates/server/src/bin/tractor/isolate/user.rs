//! As whom the program runs: the names and numbers of a user in, what makes a program run as that user out.

use std::{ffi::OsString, path::Path, process::Command};

use crate::{Error, voice::words};

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// What the machine's list of users says besides; a number may stand in none.
    listed: Option<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    name: String,
    home: String,
}

impl User {
    /// The user of a name or a number.
    ///
    /// # Errors
    ///
    /// When the machine lists none.
    pub(super) fn named(text: &str) -> Result<Self, Error> {
        let output = Command::new("getent").args(["passwd", "--", text]).output();
        let line = output.ok().and_then(|it| String::from_utf8(it.stdout).ok()).unwrap_or_default();
        Self::of_line(line.trim_end()).ok_or_else(|| {
            Error::Usage(words(
                format!("there is no user {text}; see `getent passwd`"),
                format!("пользователя {text} нет; см. `getent passwd`"),
            ))
        })
    }

    /// Who called root by sudo, by the variables that sudo sets; `None` where root is the caller.
    pub(super) fn caller(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name| variable(name)?.parse::<u32>().ok();
        let uid = number("SUDO_UID").filter(|it| *it != 0)?;
        let listed = Self::named(&uid.to_string()).ok();
        let unlisted = || Self { uid, gid: number("SUDO_GID").unwrap_or(uid), listed: None };
        Some(listed.unwrap_or_else(unlisted))
    }

    /// A user as /etc/passwd has it: `name:x:1000:1000:comment:/home:shell`.
    fn of_line(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1)?.to_owned();
        Some(Self { uid, gid, listed: Some(Listed { name, home }) })
    }

    /// What stands before a program that runs as this user.
    pub(super) fn become_it(&self) -> Vec<OsString> {
        let groups = if self.listed.is_some() { "--init-groups" } else { "--clear-groups" };
        let (uid, gid) = (self.uid.to_string(), self.gid.to_string());
        ["setpriv", "--reuid", &uid, "--regid", &gid, groups, "--"].map(OsString::from).to_vec()
    }

    /// What programs find their user's things by, which root has otherwise.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if let Some(Listed { name, home }) = &self.listed {
            variables.extend([("USER", name), ("LOGNAME", name), ("HOME", home)]);
        }
        let mut variables: Vec<_> =
            variables.into_iter().map(|(name, value)| (name, value.clone())).collect();
        // Sound and windows are reached by what lies there.
        let runtime = format!("/run/user/{}", self.uid);
        if Path::new(&runtime).is_dir() {
            variables.push(("XDG_RUNTIME_DIR", runtime));
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_user_has_its_groups() {
        let user = User::of_line("nobody:x:65534:65533:no one:/nonexistent:/bin/false").unwrap();
        assert_eq!((user.uid, user.gid), (65_534, 65_533));
        let words = user.become_it().join(" ".as_ref());
        assert_eq!(words, "setpriv --reuid 65534 --regid 65533 --init-groups --");
        assert!(user.variables().contains(&("HOME", "/nonexistent".to_owned())));
    }

    #[test]
    fn an_empty_line_is_nobody() {
        assert_eq!(User::of_line(""), None);
    }

    #[test]
    fn root_by_itself_calls_for_nobody_else() {
        assert_eq!(User::caller(|_| None), None);
        assert_eq!(User::caller(|_| Some("0".to_owned())), None);
    }

    #[test]
    fn a_caller_in_no_list_has_no_groups() {
        let user = User::caller(|_| Some("3999999999".to_owned())).unwrap();
        assert_eq!((user.uid, user.gid), (3_999_999_999, 3_999_999_999));
        assert!(user.become_it().contains(&"--clear-groups".into()));
    }
}
