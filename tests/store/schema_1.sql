-- The first released schema (1), as that version wrote it to a new SQLite file.
CREATE TABLE meta (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE alerts (
    alert_id TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    project TEXT NOT NULL,
    episode INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (alert_id),
    UNIQUE (cursor)
);
CREATE INDEX ix_alerts_project ON alerts (project);
CREATE INDEX ix_alerts_state ON alerts (state);
CREATE INDEX ix_alerts_subject_id ON alerts (subject_id);
CREATE TABLE transitions (
    id INTEGER NOT NULL,
    alert_id TEXT NOT NULL,
    at TEXT NOT NULL,
    change TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_transitions_alert_id ON transitions (alert_id);
CREATE TABLE monitors (
    monitor_id TEXT NOT NULL,
    project TEXT,
    state TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ends_at TEXT,
    stopped_at TEXT,
    poll_interval_seconds TEXT NOT NULL,
    only_failed INTEGER NOT NULL,
    auto_troubleshoot INTEGER NOT NULL,
    polls INTEGER NOT NULL,
    last_poll_at TEXT,
    last_error TEXT,
    last_error_at TEXT,
    next_poll_at TEXT,
    workloads INTEGER NOT NULL,
    PRIMARY KEY (monitor_id)
);
CREATE INDEX ix_monitors_state ON monitors (state);
CREATE TABLE covered_projects (
    project TEXT NOT NULL,
    first_looked_at TEXT NOT NULL,
    PRIMARY KEY (project)
);
CREATE TABLE baseline (
    workload_id TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (workload_id)
);
CREATE TABLE deliveries (
    delivery_id INTEGER NOT NULL,
    alert_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    change TEXT NOT NULL,
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT,
    delivered_at TEXT,
    last_error TEXT,
    PRIMARY KEY (delivery_id),
    FOREIGN KEY(alert_id) REFERENCES alerts (alert_id)
);
CREATE INDEX ix_deliveries_alert_id ON deliveries (alert_id);
CREATE INDEX deliveries_due ON deliveries (channel, state, next_attempt_at);
