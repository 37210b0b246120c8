//! The ports of a fresh store, and the list of all facts.

use std::ops::Deref;
use std::sync::Arc;

use crate::sdk::Stores;
use crate::testing::FixedClock;

/// The ports of one fresh store, and the clock that the store was told to use. Facts use the port they are about, and others
/// only to prepare what it needs.
#[derive(Debug, Clone)]
pub struct Ports {
    stores: Stores,
    /// The store's clock; it moves only when a fact moves it.
    pub clock: Arc<FixedClock>,
}

impl Ports {
    /// The ports of a store that takes its time from the clock.
    pub const fn new(stores: Stores, clock: Arc<FixedClock>) -> Self {
        Self { stores, clock }
    }

    /// The clock that back-ends hand to their stores.
    pub fn clock() -> Arc<FixedClock> {
        Arc::new(FixedClock::parse("2026-01-05T09:00:00Z"))
    }
}

impl Deref for Ports {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.stores
    }
}

/// Hands the list of all facts, by module, to the given macro.
#[macro_export]
macro_rules! contract_facts {
    ($run:ident) => {
        $run! {
            accounts {
                user_local_is_there_with_tier_pro,
                user_that_is_unknown_does_not_exist,
                user_by_email_ignores_case,
                ensure_makes_a_user_of_the_free_tier,
                ensure_answers_the_known_user,
                ensure_at_once_answers_one_user,
            }
            activity {
                recent_is_newest_first_and_limited,
                recent_reads_back_what_was_written,
                recent_has_one_line_per_key,
                recent_shows_nobody_elses,
            }
            content {
                begin_hands_out_the_last_cursor,
                begin_needs_a_user,
                begin_fences_every_earlier_run,
                begin_leaves_other_runs_alone,
                begin_at_once_leaves_one_run,
                commit_stores_items_as_they_were,
                commit_of_an_import_retains,
                commit_of_a_known_revision_starts_its_time_to_live_anew,
                commit_of_a_retained_revision_changes_nothing,
                commit_of_an_import_retains_what_was_live,
                commit_of_a_new_revision_replaces_the_old,
                commit_of_a_revision_that_comes_back_revives_its_row,
                commit_leaves_one_current_row,
                commit_takes_the_last_of_an_item_in_a_page,
                commit_counts_records,
                commit_of_gone_deletes_or_withdraws,
                commit_of_a_withdrawn_item_brings_it_back,
                commit_cuts_content,
                commit_replaces_nul,
                commit_drops_absurd_instants,
                commit_is_all_or_nothing,
                commit_of_the_last_page_sets_the_registry,
                commit_of_an_empty_run_leaves_what_is_known,
                commit_grows_coverage,
                commit_of_the_last_page_replaces_gaps,
                commit_takes_quarantined_records,
                commit_takes_a_large_page,
                commit_at_once_on_different_resources,
                retain_keeps_rows,
                retain_sees_only_the_users_rows,
                expire_deletes_what_nothing_retains,
                expire_of_an_old_revision_leaves_the_new,
                commit_of_a_live_edit_leaves_the_imported_revision_retained,
            }
            reading {
                find_answers_any_revision_by_id,
                find_takes_a_long_list,
                find_sees_only_the_users_rows,
                query_is_newest_first_and_limited,
                query_orders_instants_of_mixed_precision,
                query_finds_what_lies_within,
                query_finds_what_the_resources_hold,
                query_leaves_out_what_has_expired,
                query_finds_current_items_only,
                query_sees_only_the_users_rows,
                coverage_is_sorted_by_resource,
                coverage_sees_only_the_users_rows,
            }
            search {
                search_wants_every_word,
                search_meets_inflections,
                search_reads_other_scripts,
                search_cuts_words_at_punctuation,
                search_knows_no_operators,
                search_without_words_finds_nothing,
                search_takes_a_long_query,
                search_reads_title_text_and_author,
                search_filters_by_author,
                search_filters_by_platform_and_resource,
                search_filters_by_time_and_limit,
                search_finds_current_items_only,
                search_sees_only_the_users_rows,
                search_marks_what_it_found,
                search_answers_the_best_first,
            }
            deliverables {
                create_stores_what_was_given,
                create_refuses_a_taken_id_and_an_unknown_user,
                get_and_others_see_only_the_users_own,
                list_is_in_the_order_of_creation,
                set_status_pauses_and_resumes,
                due_finds_what_should_run,
                reschedule_compares_before_it_moves,
                reschedule_at_once_succeeds_once,
            }
            versions {
                open_gives_the_next_number,
                open_refuses_a_taken_number,
                open_refuses_a_taken_key,
                open_at_once_succeeds_once,
                open_needs_the_users_own_deliverable,
                version_and_others_see_only_the_users_own,
                by_key_finds_what_the_key_opened,
                recent_is_newest_first_and_limited,
                unfinished_is_the_oldest_to_go_on_with,
                reported_is_the_material_of_what_arrived,
                hold_waits_for_the_end_of_another,
                hold_passes_over_who_is_gone,
                hold_at_once_succeeds_once,
                advance_goes_step_by_step,
                advance_needs_the_expected_step,
                advance_needs_the_holder,
                advance_at_once_succeeds_once,
                advance_is_all_or_nothing,
                advance_to_queued_retains_and_queues_once,
                advance_to_finished_delivers,
                advance_to_failed_ends_the_hold,
            }
            evidence {
                sentences_are_in_the_order_of_the_report,
                sentences_come_with_the_verified_step,
                sentences_are_shown_to_their_owner,
                sentences_outlive_what_they_cite,
            }
            outbox {
                messages_are_by_key_and_as_they_were_queued,
                messages_are_shown_to_their_owner,
                start_counts_the_attempt,
                start_refuses_what_was_sent,
                settle_ends_the_last_attempt,
                start_at_once_lets_the_last_settle,
            }
        }
    };
}
