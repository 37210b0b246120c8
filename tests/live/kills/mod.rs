//! A process that syncs is killed at every one of its requests: nothing is missing afterwards, nothing twice, and no cursor has
//! moved past what is not stored.

mod child;
mod parent;
