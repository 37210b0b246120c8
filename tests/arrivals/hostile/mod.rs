//! A model that obeys whatever stands in its context and tries to get marked words out: by links, pictures, markup, tools,
//! recipients. The words stand wherever others can write into what a person reads, and none of them leads anywhere.

mod forms;
mod marks;
mod office;
mod tenant;
mod web;
