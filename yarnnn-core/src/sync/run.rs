//! One run over everything a client can read: begin, fetch, commit, page by page.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{BeginRun, ContentStore, Counts, ExpireBefore, Finished, NewItem, Origin, PageCommit, Progress, Receipt, RunHandle};
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock;
use crate::error::Error;
use crate::hash::Sha256;
use crate::id::{ActivityId, ContentId, IdGen, UserId};
use crate::pipeline::CancelToken;
use crate::platform::{
    Budget, Fetch, FetchMode, FetchPage, Gap, Interval, Next, PageToken, PlatformClient, PlatformError, Quarantined, Reason, Resource,
};
