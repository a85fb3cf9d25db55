DROP VIEW statistics;
DROP TABLE tenants, counters, usage_by_day, rates, tokens, users, workspaces, groups, group_members, sessions,
    participants, messages, panels, subscriptions, mcp_sessions, signals, preferences, configuration, events, audit,
    audit_horizon, background, migrations;
DROP FUNCTION after_tenant, names_a_user, participant_is_a_user, after_user, after_workspace, session_is_in_a_workspace,
    after_participant, session_begins, session_is_used, session_is_removed, session_changes, after_message,
    after_signal, after_panel, audit_is_only_added_to, audit_is_not_emptied, count_user, make_user,
    takes_part_in_an_active_one, tell, is_json, is_json_object, now_ms, acts_for;
