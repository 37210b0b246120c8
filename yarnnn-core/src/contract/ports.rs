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
                user_local_is_there_with_tier_pro, user_that_is_unknown_does_not_exist, user_by_email_ignores_case,
                ensure_makes_a_user_of_the_free_tier, ensure_answers_the_known_user, ensure_at_once_answers_one_user,
                set_timezone_replaces_what_was_known, set_timezone_needs_a_user, mail_preferences_are_all_at_first,
                save_mail_preferences_replaces_what_was_wanted, save_mail_preferences_needs_a_user,
            }
            activity {
                recent_is_newest_first_and_limited, recent_reads_back_what_was_written, recent_has_one_line_per_key,
                recent_shows_nobody_elses, deeds_leave_heartbeats_out,
                failures_are_of_a_deliverable_and_newest_first, heartbeats_are_read_apart,
            }
            connections {
                connect_stores_what_was_given, connect_needs_a_user, connect_again_with_the_same_account_keeps_everything,
                connect_of_another_account_takes_what_came_from_the_former,
                connect_of_another_account_shows_what_was_imported_again,
                connect_of_another_account_withdraws_what_reports_cite, connect_of_another_account_fences_runs_under_way,
                runs_end_with_the_account_that_they_read, connect_of_another_account_forgets_what_models_were_told,
                connect_is_all_or_nothing, connect_at_once_leaves_one_row, connections_are_sorted_by_provider,
                connections_are_shown_to_their_owner, live_is_by_id_and_passes_over_what_is_not_active,
                save_changes_what_is_given, save_compares_before_it_writes, save_at_once_succeeds_once,
                connect_knows_an_account_by_the_id_that_stays, connect_of_an_account_that_returns_excludes_the_same,
                selected_before_is_what_the_account_had, disconnect_takes_everything_along,
                disconnect_forgets_what_models_were_told, disconnect_of_nothing_changes_nothing,
                disconnect_leaves_room_for_a_new_connection,
            }
            credentials {
                credentials_read_back_as_they_were_given, credentials_are_shown_to_their_owner, take_refresh_at_once_tells_one,
                take_refresh_waits_for_the_end_of_a_lease, take_refresh_of_what_was_replaced_answers_the_newer,
                take_refresh_keeps_connections_apart, replace_stores_what_was_bought,
                replace_keeps_the_refresh_token_when_there_is_no_new_one, replace_needs_the_lease,
                replace_after_the_end_of_a_lease_that_nobody_took_counts, replace_after_a_new_connection_is_a_conflict,
                replace_leaves_the_row_as_others_read_it, try_keys_opens_what_was_connected, give_up_lets_the_next_try,
                give_up_of_a_lost_lease_changes_nothing,
            }
            oauth_states {
                issue_draws_a_new_state, issue_needs_a_user, issue_leaves_what_is_under_way, redeem_answers_who_began_once,
                redeem_needs_the_same_provider, redeem_ends_with_the_life_of_a_state, redeem_of_an_unknown_state_answers_nobody,
                redeem_at_once_answers_one,
            }
            content {
                begin_hands_out_the_last_cursor, begin_needs_a_user, begin_fences_every_earlier_run,
                begin_leaves_other_runs_alone, begin_at_once_leaves_one_run, commit_stores_items_as_they_were,
                commit_of_an_import_retains, commit_of_a_known_revision_starts_its_time_to_live_anew,
                commit_of_a_retained_revision_changes_nothing, commit_of_an_import_retains_what_was_live,
                commit_of_a_new_revision_replaces_the_old, commit_of_a_revision_that_comes_back_revives_its_row,
                commit_leaves_one_current_row, commit_takes_the_last_of_an_item_in_a_page, commit_counts_records,
                commit_of_gone_deletes_or_withdraws, commit_of_a_withdrawn_item_brings_it_back, commit_cuts_content,
                commit_replaces_nul, commit_drops_absurd_instants, commit_is_all_or_nothing,
                commit_of_the_last_page_sets_the_registry, commit_of_an_empty_run_leaves_what_is_known, commit_grows_coverage,
                commit_of_the_last_page_replaces_gaps, commit_takes_quarantined_records, commit_takes_a_large_page,
                commit_at_once_on_different_resources, retain_keeps_rows, retain_sees_only_the_users_rows,
                commit_of_a_live_edit_leaves_the_imported_revision_retained,
            }
            reading {
                find_answers_any_revision_by_id, find_takes_a_long_list, find_sees_only_the_users_rows,
                query_is_newest_first_and_limited, query_orders_instants_of_mixed_precision, query_finds_what_lies_within,
                query_finds_what_the_resources_hold, query_leaves_out_what_has_expired, query_finds_current_items_only,
                query_sees_only_the_users_rows, coverage_is_sorted_by_resource, coverage_sees_only_the_users_rows,
            }
            places {
                begin_hands_out_where_a_run_was_cut_short, begin_after_a_cut_hands_out_the_cursor_as_it_was,
                commit_of_one_part_leaves_the_place_of_the_other, commit_of_a_page_without_a_place_forgets_it,
                commit_of_a_failure_leaves_the_place, commit_of_a_page_stores_its_place_with_it,
                commit_of_a_rebuild_forgets_all_places_in_the_end, begin_hands_out_only_its_own_place,
            }
            rebuilds {
                begin_of_a_rebuild_says_so, commit_of_a_rebuild_shows_nothing_before_its_last_page,
                commit_of_the_last_page_puts_all_pages_in_place, commit_of_the_last_page_takes_away_what_it_names,
                commit_of_a_rebuild_keeps_the_origin_of_its_pages, commit_of_a_rebuild_needs_the_newest_run,
                begin_after_a_rebuild_that_never_ended_starts_afresh, commit_of_a_rebuild_that_failed_leaves_what_was_there,
                commit_of_the_last_page_is_all_or_nothing, commit_of_a_rebuild_keeps_what_was_seen_unchanged,
                commit_of_rebuilds_at_once_keeps_them_apart,
            }
            audits {
                commit_of_unchanged_items_starts_their_time_to_live_anew, commit_of_unchanged_items_sees_only_the_users_rows,
                commit_of_unchanged_items_brings_withdrawn_ones_back, commit_of_unchanged_items_wins_over_gone,
                commit_of_unchanged_items_takes_a_long_list, commit_of_an_audit_says_when,
                coverage_says_when_something_went_wrong, known_lists_items_as_they_are, known_lists_what_is_kept,
                known_sees_only_the_users_rows, exclude_outlasts_runs,
                exclude_of_a_resource_that_was_never_synced_makes_its_entry, exclude_changes_only_the_users_entry,
            }
            search {
                search_wants_every_word, search_meets_inflections, search_reads_other_scripts, search_cuts_words_at_punctuation,
                search_knows_no_operators, search_without_words_finds_nothing, search_takes_a_long_query,
                search_reads_title_text_and_author, search_filters_by_author, search_filters_by_platform_and_resource,
                search_filters_by_time_and_limit, search_finds_current_items_only, search_sees_only_the_users_rows,
                search_marks_what_it_found, search_answers_the_best_first,
            }
            deliverables {
                create_stores_what_was_given, create_refuses_a_taken_id_and_an_unknown_user, create_keeps_to_the_slots, create_at_once_keeps_to_the_slots,
                get_and_others_see_only_the_users_own, list_is_in_the_order_of_creation, update_changes_what_was_given,
                update_leaves_the_next_run_alone, update_compares_before_it_changes, update_keeps_to_the_slots, update_at_once_succeeds_once,
                set_status_pauses_and_archives, resume_needs_what_is_paused, resume_keeps_to_the_slots, due_finds_what_should_run, reschedule_compares_before_it_moves,
                reschedule_at_once_succeeds_once,
            }
            slots {
                due_anywhere_finds_what_is_due_of_everybody, due_anywhere_goes_on_from_a_place, fire_makes_row_line_and_job,
                fire_compares_before_it_moves, fire_moves_past_what_was_fired, fire_is_all_or_nothing,
                fire_needs_the_right_of_its_phase, fire_at_once_makes_one_row, slot_is_shown_to_its_owner,
                end_keeps_what_is_final, open_is_the_newest_of_each_deliverable, open_has_what_failed,
                open_leaves_out_what_was_cancelled, requeue_gives_a_slot_another_job, requeue_at_once_makes_one_job,
                lost_is_what_nobody_is_at, lost_goes_on_from_a_place, of_cycle_lists_what_a_tick_fired,
                totals_count_what_a_tick_fired,
            }
            versions {
                open_gives_the_next_number, open_refuses_a_taken_number, open_refuses_a_taken_key, open_at_once_succeeds_once,
                open_needs_the_users_own_deliverable, version_and_others_see_only_the_users_own,
                by_key_finds_what_the_key_opened, recent_is_newest_first_and_limited, unfinished_is_the_oldest_to_go_on_with,
                reported_is_the_material_of_what_arrived, hold_waits_for_the_end_of_another, hold_passes_over_who_is_gone,
                hold_at_once_succeeds_once, advance_goes_step_by_step, advance_to_researched_comes_before_writing,
                advance_needs_the_expected_step, advance_needs_the_holder, advance_at_once_succeeds_once,
                advance_is_all_or_nothing, advance_to_queued_retains_and_queues_once, advance_to_finished_delivers,
                advance_to_failed_ends_the_hold, advance_to_staged_waits_for_a_person, advance_to_staged_keeps_what_it_cites,
                advance_ends_the_slot_of_its_run, advance_and_decide_end_a_slot_that_waits_for_a_person,
                decide_lets_a_staged_version_go_on_or_ends_it, reported_has_what_was_rejected_and_not_what_was_only_shown,
                decide_frees_what_only_a_rejected_version_cites, advance_to_failed_frees_what_a_staged_version_cites,
                decide_ends_what_is_unfinished, decide_needs_a_staged_version, decide_at_once_succeeds_once,
            }
            version_material {
                recorded_is_what_was_gathered_and_found, recorded_stays_as_it_was,
                recorded_leaves_out_what_is_not_the_users_own, recorded_loses_what_is_gone_at_its_source,
                recorded_loses_what_goes_with_its_account, recorded_goes_with_a_version_that_has_no_report,
                recorded_at_once_with_the_end_of_its_source_leaves_nothing,
            }
            feedback {
                of_version_is_what_was_said, of_version_has_a_line_of_activity_with_a_decision, of_version_leaves_a_hold,
                given_is_newest_first_and_limited, scores_are_those_of_edited_versions, given_and_others_show_the_users_own,
            }
            left_runs {
                untold_is_what_died_without_a_word, untold_leaves_out_what_was_told,
                untold_knows_lines_of_earlier_releases, untold_leaves_out_what_others_ended, untold_goes_on_from_a_place,
                left_is_what_nobody_goes_on_with, left_goes_on_from_a_place,
            }
            lifecycle {
                suggest_makes_a_paused_deliverable_and_its_reason, suggest_is_all_or_nothing,
                suggested_is_newest_first_and_limited, enable_makes_it_run, enable_needs_a_suggestion,
                enable_at_once_succeeds_once, enable_keeps_to_the_slots, dismiss_leaves_nothing_to_run, promote_gives_a_schedule,
                promote_keeps_to_the_slots, enable_and_others_at_once_keep_to_the_slots,
            }
            events {
                listen_sets_and_takes_away_a_trigger, listen_keeps_to_the_slots, listening_is_what_may_run, fire_knows_an_event_again,
                fire_waits_while_it_cools_down, fire_says_when_a_run_is_refused, fire_at_once_keeps_the_limit,
                fire_needs_the_users_own_deliverable,
            }
            notices {
                notices_are_apart_from_messages, notices_come_with_their_step, notify_stores_once,
                notify_tells_of_a_run_without_a_version, log_writes_a_line_once,
            }
            evidence {
                sentences_are_in_the_order_of_the_report, sentences_come_with_the_verified_step,
                sentences_are_shown_to_their_owner, sentences_outlive_what_they_cite, said_is_newest_first_and_limited,
                said_to_others_is_what_they_may_know, said_to_others_is_limited_by_what_they_may_know, said_is_what_arrived,
                said_is_shown_to_its_owner, said_names_its_sources, said_shows_what_changed,
                said_shows_what_changed_and_expired, said_shows_what_was_withdrawn, said_counts_pages_of_the_web_as_standing,
                told_is_newest_first_and_limited, told_is_what_arrived_or_was_rejected, told_to_others_is_what_others_had,
                told_is_shown_to_its_owner,
            }
            outbox {
                messages_are_by_key_and_as_they_were_queued, messages_are_shown_to_their_owner, start_counts_the_attempt,
                start_refuses_what_was_sent, start_answers_the_state_that_it_found, start_keeps_since_when_it_is_in_doubt,
                start_refuses_what_is_held, settle_ends_the_last_attempt, settle_keeps_a_doubt_until_it_is_gone,
                start_at_once_lets_the_last_settle, decide_that_it_arrived_ends_it, decide_to_send_again_takes_it_back,
                decide_needs_a_held_message, decide_needs_the_users_own_message, decide_at_once_succeeds_once,
            }
            model_ledger {
                reserve_stores_the_call, reserve_replaces_nul, reserve_counts_what_is_under_way,
                reserve_counts_what_answers_cost, reserve_counts_what_was_lost_but_not_what_was_refused,
                reserve_of_nothing_always_fits, reserve_caps_runs, reserve_caps_the_days_of_users,
                reserve_caps_the_day_of_the_reservation, reserve_caps_the_days_of_the_installation, reserve_heeds_every_cap,
                reserve_takes_any_amount, reserve_needs_what_is_the_users_own, reserve_at_once_never_exceeds_a_cap,
                reserve_at_once_under_every_cap_ends, settle_of_an_answer_keeps_what_it_used,
                settle_keeps_answers_of_versions_only, settle_says_why_there_is_no_answer, settle_ends_a_call_once,
                settle_at_once_ends_once, settle_needs_the_users_own_call, answered_is_what_the_version_was_answered,
                answered_never_becomes_another, answered_goes_by_version_and_request, calls_are_in_the_order_of_reservation,
                calls_are_those_that_were_asked_for, calls_come_without_what_was_said,
            }
            web_pages {
                keep_stores_pages_as_they_were, keep_replaces_nul, keep_keeps_the_first_page_of_an_address,
                keep_takes_long_addresses, keep_needs_the_users_own_version, keep_is_all_or_nothing,
                keep_at_once_leaves_one_page, find_answers_pages_by_id, find_sees_only_the_users_pages,
                of_version_is_by_id_and_the_users_own,
            }
            signals {
                begin_stores_what_is_shown, begin_again_answers_the_pass_as_it_stands, begin_needs_the_users_own,
                commit_stores_everything_of_a_pass, commit_of_nothing_leaves_a_line,
                commit_of_a_pass_that_has_ended_changes_nothing, commit_does_nothing_twice_within_the_window,
                commit_at_once_does_a_thing_once, commit_keeps_to_the_slots, commit_makes_nothing_of_a_type_that_is_taken,
                commit_leaves_no_room_taken_for_ever, commit_sets_going_what_is_the_users_and_active,
                commit_leaves_alone_what_runs_already, commit_sees_runs_of_every_kind,
                commit_sets_a_deliverable_going_once_a_day, commit_is_all_or_nothing, commit_needs_the_users_own_pass,
                history_is_newest_first_and_the_users_own, passes_are_newest_first_and_the_users_own,
                preferences_are_on_unless_switched_off, set_preferences_changes_what_is_named,
                take_turn_waits_for_the_cool_down, take_turn_at_once_grants_one, take_turn_is_all_or_nothing,
                take_turn_answers_the_job_that_there_is, candidates_have_something_to_look_at,
                answered_in_pass_lasts_until_the_pass_ends, answered_in_pass_keeps_nothing_that_comes_after_its_end,
                reserve_caps_passes_and_needs_the_users_own,
            }
            phases {
                claim_hands_a_slot_to_one, claim_hands_on_what_nobody_is_at, claim_counts_what_was_missed,
                claim_at_once_hands_a_slot_to_one, renew_keeps_a_slot, renew_needs_the_right,
                claim_takes_again_what_was_done_in_advance, finish_says_what_came_of_it,
                of_cycle_is_what_a_tick_ran, latest_is_when_something_was_last_done,
                latest_by_an_instant_knows_nothing_of_later, unfinished_are_ticks_without_their_end,
                prune_forgets_old_ticks, prune_takes_no_more_than_asked,
            }
            heartbeat {
                numbers_are_the_users_own, numbers_are_of_those_for_whom_something_was_done, tell_writes_each_line_once,
            }
            cleanup {
                owners_are_those_with_expired_items, clean_deletes_what_nothing_retains, clean_takes_any_number,
                clean_adds_to_the_line_of_its_key, clean_at_once_counts_each_row_once, clean_of_an_old_revision_leaves_the_new,
                clean_tells_each_user_of_their_own, end_passes_ends_what_was_left, end_passes_takes_no_more_than_asked, forget_sign_ins,
                forget_what_signals_and_events_left, forget_lines_of_the_log, forget_slots_but_the_newest,
                forget_notices_that_are_over, forget_takes_no_more_than_asked,
            }
            jobs_enqueue {
                enqueue_stores_jobs_as_they_were, enqueue_leaves_out_what_was_not_given, enqueue_answers_in_the_order_given,
                enqueue_takes_any_kind, enqueue_starts_when_told, enqueue_refuses_what_breaks_a_rule,
                enqueue_takes_what_just_keeps_to_the_rules, enqueue_refuses_the_wrong_lane, enqueue_is_all_or_nothing,
                enqueue_keeps_who_caused_a_job,
            }
            jobs_keys {
                enqueue_of_a_known_key_answers_its_job, enqueue_of_a_known_key_with_another_payload_is_a_conflict,
                enqueue_of_a_key_twice_in_a_batch_is_one_job, enqueue_keeps_keys_of_kinds_and_owners_apart,
                enqueue_under_an_active_key_is_held_while_its_job_lives, enqueue_under_an_active_key_is_free_after_the_end,
                enqueue_under_a_key_for_ever_meets_a_job_long_gone, enqueue_under_a_key_with_a_window_counts_from_its_first_use,
                enqueue_at_once_under_one_key_makes_one_job, enqueue_at_once_of_other_payloads_makes_one_job,
            }
            jobs_claim {
                claim_starts_a_lease, claim_leases_for_as_long_as_asked, claim_draws_a_new_token,
                claim_is_by_priority_then_time_then_id, claim_takes_what_is_due, claim_takes_no_more_than_asked,
                claim_leaves_what_does_not_wait, claim_leaves_other_kinds_and_lanes_alone, claim_by_id_takes_that_job,
                claim_keeps_quarantined_jobs_apart, claim_alone_takes_quarantined_jobs_only,
                claim_at_once_hands_each_job_to_one,
            }
            jobs_fairness {
                claim_takes_so_many_of_an_owner, claim_counts_what_this_worker_runs_of_an_owner,
                claim_takes_any_number_of_jobs_without_owner, claim_looks_behind_the_backlog_of_an_owner,
                claim_looks_behind_the_backlogs_of_many, claim_looks_behind_the_backlog_of_a_kind,
                claim_looks_behind_the_backlog_of_a_lane, claim_at_once_keeps_each_worker_to_the_limit,
            }
            jobs_finish {
                finish_succeeded_stores_the_result, finish_succeeded_enqueues_what_follows,
                finish_succeeded_does_not_repeat_what_follows, finish_backoff_waits_and_then_dies,
                finish_backoff_draws_for_each_job, finish_put_off_charges_nothing, finish_put_off_too_often_dies,
                finish_handed_back_leaves_no_trace, finish_failed_and_cancelled_end_the_job,
                finish_needs_human_keeps_the_report, finish_takes_any_text, finish_counts_no_crash_as_a_try,
                finish_of_a_job_asked_to_stop_leaves_nothing_waiting,
            }
            jobs_lost {
                finish_needs_the_token_and_the_worker, finish_needs_the_token_of_that_job, finish_twice_changes_nothing,
                finish_twice_in_one_call_ends_once, finish_after_a_rescue_changes_nothing,
                finish_after_a_claim_by_the_same_worker_changes_nothing,
                finish_after_the_end_of_a_lease_that_nobody_took_counts, finish_answers_each_for_itself,
                finish_takes_a_large_call, finish_at_once_ends_once,
            }
            jobs_rescue {
                rescue_takes_back_what_has_no_lease, rescue_takes_back_what_the_gone_held, rescue_leaves_what_does_not_run,
                rescue_at_once_takes_each_job_back_once, rescue_spaces_tries_and_gives_up,
                rescue_lets_a_quarantined_job_succeed, rescue_cancels_what_was_asked_to_stop,
                rescue_ends_the_permits_of_the_gone, rescue_ends_progress,
            }
            jobs_state {
                progress_can_be_read, progress_goes_forward_only, progress_needs_the_lease, get_of_an_unknown_job_is_none,
                get_of_an_old_result_says_expired, get_of_an_old_report_shows_it, next_due_is_the_time_until_the_next_job,
                next_due_passes_over_what_ended, next_due_heeds_kinds_and_lanes, next_due_keeps_quarantined_jobs_apart,
            }
            job_admin {
                list_is_newest_first, list_filters, list_says_what_has_expired, events_tell_every_change,
                events_are_those_of_one_job, retry_begins_anew, retry_of_what_waits_runs_it_at_once,
                retry_of_a_poison_job_forgets_its_crashes, retry_takes_back_the_wish_to_stop,
                retry_makes_an_active_key_count_again, retry_refuses_what_runs_or_succeeded, cancel_ends_what_waits,
                cancel_asks_what_runs_to_stop, cancel_refuses_what_ended,
            }
            job_upkeep {
                purge_deletes_what_ended_before, purge_deletes_only_what_is_named_and_ended, purge_deletes_no_more_than_asked,
                purge_deletes_what_has_expired, purge_frees_active_keys, depth_counts_what_has_not_ended_well,
                depth_says_how_long_jobs_have_been_due, depth_counts_what_is_in_quarantine,
                purge_leaves_keys_whose_window_is_open, hurry_brings_the_next_try_forward, hurry_lets_others_be,
                retry_takes_its_key_back,
            }
            leases {
                open_gives_a_keeper_of_ones_own, renew_extends_by_the_length_claimed, renew_needs_the_token_and_the_worker,
                renew_of_what_does_not_run_is_lost, renew_revives_a_lease_that_nobody_took, renew_after_a_rescue_is_lost,
                renew_tells_of_the_wish_to_stop, renew_answers_in_the_order_given, renew_takes_many_leases,
            }
            presence {
                beat_shows_the_worker, beat_replaces_the_last, beat_brings_a_worker_back, workers_are_those_that_beat,
                workers_are_oldest_first, workers_are_shown_by_themselves_only, workers_that_are_gone_are_not_shown,
                leave_takes_a_worker_off,
            }
            wake_ups {
                listen_hears_what_is_enqueued, listen_wakes_all, woken_by_what_came_before_the_wait, woken_can_be_dropped,
                woken_by_what_was_made_ready,
            }
            capacity {
                acquire_grants_what_is_allowed, acquire_needs_limits, acquire_says_what_can_never_be,
                acquire_holds_so_many_at_once, acquire_forgets_permits_after_their_lease, acquire_counts_no_refusal,
                acquire_keeps_endpoints_apart, acquire_at_once_never_exceeds_the_limits, release_gives_no_request_back,
                release_corrects_the_tokens, release_without_tokens_keeps_the_estimate,
                release_corrects_the_window_of_the_grant, release_of_an_ended_permit_changes_nothing,
                set_limits_changes_an_endpoint, introduce_keeps_what_an_operator_switched_off, usage_lists_endpoints,
                usage_counts_what_is_held, usage_says_when_a_window_is_full,
            }
            capacity_windows {
                acquire_slides_over_a_second, acquire_slides_over_a_minute, acquire_slides_over_an_hour,
                acquire_slides_over_the_tokens_of_a_minute, acquire_slides_over_the_tokens_of_an_hour,
                acquire_keeps_the_least_interval, acquire_waits_for_the_last_of_its_limits,
                acquire_remembers_permits_that_ended, acquire_waits_for_a_call_that_took_too_much,
            }
            follow_ups {
                commit_enqueues_what_follows, commit_does_not_repeat_what_follows, commit_that_fails_enqueues_nothing,
                commit_with_a_job_that_is_refused_stores_nothing, advance_enqueues_what_follows,
                advance_that_fails_enqueues_nothing, advance_with_a_job_that_is_refused_stands_still,
                advance_at_once_enqueues_once,
            }
        }
    };
}
