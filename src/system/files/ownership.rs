//! Who else may have written a file: its owner, and everybody whom its mode allows to.

use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Another user who may have changed a file. Root, who can change anything, does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Others {
    /// This file, folder or link belongs to another user.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has owners"))]
    Own(PathBuf),
    /// The mode of this file or folder allows others to write to it.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has modes"))]
    MayWrite(PathBuf),
    /// This file is outside the user's profile on Windows. We do not read access lists.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows has profiles"))]
    Outside(PathBuf),
}

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(path) => write!(f, "{} belongs to another user", path.display()),
            Self::MayWrite(path) => write!(f, "other users can write to {}", path.display()),
            Self::Outside(path) => write!(
                f,
                "{} is outside your user profile, and other users may be able to change it",
                path.display()
            ),
        }
    }
}

impl Others {
    /// What to do about it.
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::Own(path) => {
                format!(
                    "check {}, and replace it with one of your own",
                    path.display()
                )
            }
            Self::Outside(_) => {
                "unset GIT_CREDENTIAL_HF_HOME, or set it to a folder in your profile".to_owned()
            }
            Self::MayWrite(path) => {
                format!(
                    "run `chmod go-w {}`, and check its contents",
                    path.display()
                )
            }
        }
    }

    /// Whether it is known that another user may have changed the file.
    pub(crate) const fn is_known(&self) -> bool {
        !matches!(self, Self::Outside(_))
    }

    /// Checks only a file, not the folders and links on its path; `path` is for messages.
    #[cfg(unix)]
    pub(crate) fn of_file(metadata: &Metadata, path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        // On macOS, a mode has 16 bits.
        let mode = metadata.mode() as rustix::fs::RawMode;
        Self::of(metadata.uid(), metadata.gid(), mode, path)
    }

    /// Checks whether the file is in the user's profile, whose access list keeps others out.
    #[cfg(not(unix))]
    pub(crate) fn of_file(_: &Metadata, path: &Path) -> Option<Self> {
        let outside = crate::system::home::is_outside_profile(path);
        outside.then(|| Self::Outside(path.to_owned()))
    }

    /// Checks one file, folder or link.
    #[cfg(unix)]
    pub(super) fn of_stat(stat: &rustix::fs::Stat, path: &Path) -> Option<Self> {
        Self::of(stat.st_uid, stat.st_gid, stat.st_mode, path)
    }

    #[cfg(unix)]
    fn of(owner: u32, group: u32, mode: rustix::fs::RawMode, path: &Path) -> Option<Self> {
        use rustix::fs::{FileType, Mode};
        let file_type = FileType::from_raw_mode(mode);
        let mode = Mode::from_raw_mode(mode);
        if !is_ours(owner) {
            return Some(Self::Own(path.to_owned()));
        }
        let sticky = match file_type {
            // The mode of a link means nothing, and that of a socket says who may connect to its
            // owner.
            FileType::Symlink | FileType::Socket => return None,
            // In a sticky folder, others can add names but not rename or remove ours.
            FileType::Directory => mode.contains(Mode::SVTX),
            _ => false,
        };
        let group_may = || mode.contains(Mode::WGRP) && !is_closed_group(owner, group, path);
        (!sticky && (mode.contains(Mode::WOTH) || group_may()))
            .then(|| Self::MayWrite(path.to_owned()))
    }
}

/// Whether root or this user is the owner.
#[cfg(unix)]
pub(super) fn is_ours(owner: u32) -> bool {
    let user = rustix::process::geteuid();
    // If a user runs git with sudo, root works with that user's files.
    let sudo = || std::env::var("SUDO_UID").ok()?.parse::<u32>().ok();
    owner == 0
        || owner == user.as_raw()
        || (user.is_root() && sudo().is_some_and(|by| by == owner))
        || is_unmapped(owner)
}

/// Whether this id stands for all owners that a user namespace does not map. They include root
/// outside the namespace, who owns the folders above every home directory.
#[cfg(target_os = "linux")]
fn is_unmapped(owner: u32) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    // These files are read only if the owner is not this user, which is rare.
    let overflow = read("/proc/sys/kernel/overflowuid");
    overflow.trim().parse() == Ok(owner) && {
        let map = read("/proc/self/uid_map");
        let whole = |line: &str| line.split_whitespace().eq(["0", "0", "4294967295"]);
        !map.is_empty() && !map.lines().any(whole)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
const fn is_unmapped(_: u32) -> bool {
    false
}

/// Whether the owner is the only member of the group that may write: many systems give each user
/// their own group.
#[cfg(unix)]
fn is_closed_group(owner: u32, group: u32, path: &Path) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    is_own_group(owner, group, &read("/etc/passwd"), &read("/etc/group")) && !has_access_list(path)
}

/// Whether the owner is the only member of `group` according to the system's lists. A group that is
/// not listed counts as the owner's if it has the owner's id.
#[cfg(unix)]
fn is_own_group(owner: u32, group: u32, users: &str, groups: &str) -> bool {
    let number = |text: Option<&&str>| text.and_then(|text| text.parse::<u32>().ok());
    let mut name = None;
    for line in users.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if number(fields.get(2)) == Some(owner) {
            name = name.or(fields.first().copied());
        } else if number(fields.get(3)) == Some(group) {
            return false;
        }
    }
    let mut groups = groups.lines().map(|line| line.split(':').collect());
    match groups.find(|fields: &Vec<&str>| number(fields.get(2)) == Some(group)) {
        None => group == owner,
        Some(fields) => {
            let members = fields.get(3).copied().unwrap_or_default();
            let mut members = members.split(',').filter(|member| !member.is_empty());
            (group == owner || fields.first().copied() == name)
                && members.all(|member| Some(member) == name)
        }
    }
}

/// Whether the file has an access list with more users or groups. The mode's group bits are then
/// the mask of that list.
#[cfg(target_os = "linux")]
fn has_access_list(path: &Path) -> bool {
    let mut list = [0; 1];
    // `RANGE` means that the list exists but does not fit into the buffer.
    match rustix::fs::getxattr(path, "system.posix_acl_access", &mut list) {
        Ok(_) | Err(rustix::io::Errno::RANGE) => true,
        Err(_) => false,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
const fn has_access_list(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_the_owners_own_if_nobody_else_is_in_it() {
        let users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000:::\nbob:x:1001:1001:::\n\
                     cyd:x:1002:1002:::\neve:x:1003:1002:::\nfay:x:1004:100:::\n";
        let groups = "ann:x:1000:\nbob:x:1001:bob,ann\ncyd:x:1002:\nstaff:x:50:ann\n\
                      fay:x:2004:fay\nusers:x:100:\n";
        for (owner, group, expected) in [
            (1000, 1000, true),
            (1001, 1001, false), // ann is a member
            (1002, 1002, false), // also eve's primary group
            (1000, 50, false),
            (1004, 2004, true), // has fay's name
            (1004, 100, false),
            (5000, 5000, true), // a user of a directory service
            (5000, 5001, false),
        ] {
            let is = is_own_group(owner, group, users, groups);
            assert_eq!(is, expected, "{owner} {group}");
        }
    }
}
