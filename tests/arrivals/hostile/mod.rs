//! A model that obeys whatever stands in its context and tries to get marked words out: by links, pictures, markup, tools,
//! recipients. The words stand wherever others can write into what a person reads, and none of them leads anywhere.

/// Tests of a part of the techniques each, so that they run beside each other.
macro_rules! in_quarters {
    ($attack:ident) => {
        #[tokio::test]
        async fn a_first_quarter_of_the_techniques() {
            $attack(0, 4).await;
        }

        #[tokio::test]
        async fn a_second_quarter_of_the_techniques() {
            $attack(1, 4).await;
        }

        #[tokio::test]
        async fn a_third_quarter_of_the_techniques() {
            $attack(2, 4).await;
        }

        #[tokio::test]
        async fn a_fourth_quarter_of_the_techniques() {
            $attack(3, 4).await;
        }
    };
}
use in_quarters;

mod forms;
mod marks;
mod office;
mod tenant;
mod web;
