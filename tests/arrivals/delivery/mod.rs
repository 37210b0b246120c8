//! A run that is broken off anywhere and tried again: every recipient gets one message, and nothing is asked of a model twice.

mod cell;
mod child;
mod cuts;
mod desk;
mod doubts;
mod held;
mod kills;
mod matrix;
mod parts;
mod ports;
mod steps;
