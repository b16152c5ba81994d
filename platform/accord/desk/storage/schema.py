"""The vault's tables, version by version. A published version never changes; a new one is added.

Plain SQL, because SQLAlchemy and alembic cannot drive the encrypted engine's bulk path at the
promised rate (docs/adr/0030). ``PRAGMA user_version`` holds the number of applied versions.
"""

VERSIONS: tuple[str, ...] = (
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

    -- One row for each bundle that this desk opened or sent. (org, id) names a bundle.
    CREATE TABLE bundles (
        no INTEGER PRIMARY KEY,
        org TEXT NOT NULL,
        id TEXT NOT NULL,
        way TEXT NOT NULL CHECK (way IN ('received', 'sent')),
        kind TEXT NOT NULL,
        tlp TEXT NOT NULL,
        purpose TEXT NOT NULL,
        legal_basis TEXT NOT NULL,
        onward TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        arrived INTEGER NOT NULL,
        replaces TEXT,
        signer BLOB NOT NULL,
        manifest BLOB NOT NULL,
        header BLOB NOT NULL,
        dsse BLOB NOT NULL,
        head BLOB,
        title TEXT NOT NULL,
        first INTEGER NOT NULL,
        n INTEGER NOT NULL,
        submission BLOB,
        purged INTEGER,
        UNIQUE (org, id)
    );
    CREATE INDEX bundles_by_first ON bundles (first);
    CREATE INDEX bundles_by_submission ON bundles (submission) WHERE submission IS NOT NULL;
    CREATE INDEX bundles_by_expiry ON bundles (expires) WHERE purged IS NULL;

    -- Canonical record lines, zstd over lines that end in LF; key: number of the first record.
    CREATE TABLE blocks (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, data BLOB NOT NULL);

    -- Records that were invalid inside a valid bundle: kept apart, never found by a search.
    CREATE TABLE quarantined_records (
        bundle INTEGER NOT NULL, record INTEGER NOT NULL, code TEXT NOT NULL,
        PRIMARY KEY (bundle, record)
    ) WITHOUT ROWID;

    -- Sorted runs of (term hash, record number); see terms.py.
    CREATE TABLE term_runs (
        run INTEGER PRIMARY KEY, level INTEGER NOT NULL, size INTEGER NOT NULL,
        first_chunk INTEGER NOT NULL, fences BLOB NOT NULL
    );
    CREATE TABLE term_chunks (chunk INTEGER PRIMARY KEY, data BLOB NOT NULL);

    -- What a verified bundle did to another one. record -1 = all of it. Kept even when the
    -- other one has not arrived yet.
    CREATE TABLE marks (
        org TEXT NOT NULL, id TEXT NOT NULL, record INTEGER NOT NULL, state TEXT NOT NULL,
        by_id TEXT NOT NULL, code TEXT NOT NULL, note TEXT, deadline INTEGER, at INTEGER NOT NULL,
        PRIMARY KEY (org, id, record, state)
    ) WITHOUT ROWID;

    -- What the hub delivered, also what could not be opened.
    CREATE TABLE deliveries (
        seq INTEGER PRIMARY KEY, org TEXT, id TEXT, manifest BLOB, state TEXT NOT NULL,
        code TEXT, message TEXT, raw BLOB, at INTEGER NOT NULL, acknowledged INTEGER
    );
    CREATE INDEX deliveries_open ON deliveries (seq) WHERE acknowledged IS NULL;

    -- Sealed, not yet proven accepted: the file lies in the outbox directory under its id.
    CREATE TABLE outbox (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL,
        recipients TEXT NOT NULL, created INTEGER NOT NULL, code TEXT, message TEXT,
        log_index INTEGER, receipt BLOB, receipted INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE submissions (
        key BLOB PRIMARY KEY, source BLOB, name TEXT, created INTEGER NOT NULL, finished INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX submissions_by_source ON submissions (source);

    CREATE TABLE acknowledgements (
        id TEXT NOT NULL, org TEXT NOT NULL, state TEXT NOT NULL, code TEXT, at INTEGER NOT NULL,
        dsse BLOB NOT NULL, PRIMARY KEY (id, org, state)
    ) WITHOUT ROWID;

    CREATE TABLE directory_leaves (position INTEGER PRIMARY KEY, statement BLOB NOT NULL);
    CREATE TABLE checkpoints (
        origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
        seen INTEGER NOT NULL, PRIMARY KEY (origin, size)
    ) WITHOUT ROWID;

    CREATE TABLE searches (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL,
        values_sought BLOB NOT NULL, n INTEGER NOT NULL, found INTEGER
    );
    CREATE TABLE acts (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, act TEXT NOT NULL,
        object TEXT NOT NULL, reason TEXT NOT NULL
    );
    """,
    """
    -- What left this desk, and which records of which bundle: numbers as little-endian 32 bits.
    CREATE TABLE exports (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, form TEXT NOT NULL,
        audience TEXT NOT NULL, purpose TEXT NOT NULL, reason TEXT NOT NULL,
        records INTEGER NOT NULL, sha256 BLOB
    );
    CREATE TABLE exported (
        bundle INTEGER NOT NULL, export INTEGER NOT NULL, records BLOB NOT NULL,
        PRIMARY KEY (bundle, export)
    ) WITHOUT ROWID;

    -- Objects as tools read them over TAXII; added = unix microseconds, one object each, rising.
    CREATE TABLE taxii_objects (
        observable INTEGER NOT NULL, added INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        version INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,
        bundle INTEGER, data BLOB NOT NULL,
        PRIMARY KEY (observable, added)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX taxii_by_id ON taxii_objects (id, version);
    CREATE INDEX taxii_by_bundle ON taxii_objects (bundle) WHERE bundle IS NOT NULL;
    CREATE TABLE taxii_marks (
        org TEXT NOT NULL, id TEXT NOT NULL, record INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (org, id, record, state)
    ) WITHOUT ROWID;

    -- Tools that read feeds of this desk: name, hash of the token, and their last request.
    CREATE TABLE tools (
        name TEXT PRIMARY KEY, digest BLOB NOT NULL, created INTEGER NOT NULL,
        seen INTEGER, request TEXT, status INTEGER, agent TEXT
    ) WITHOUT ROWID;
    """,
    """
    -- What the feed told; shown, never applied. See hints.py.
    CREATE TABLE hints (
        seq INTEGER PRIMARY KEY, event TEXT NOT NULL, org TEXT, id TEXT, kind TEXT, subject TEXT,
        at INTEGER NOT NULL
    );
    CREATE INDEX hints_by_bundle ON hints (id, org);
    CREATE INDEX deliveries_by_bundle ON deliveries (id, org);

    -- Every bundle that did something to another one has its own mark, so that the order in which
    -- they arrive changes nothing.
    CREATE TABLE marks_each (
        org TEXT NOT NULL, id TEXT NOT NULL, record INTEGER NOT NULL, state TEXT NOT NULL,
        by_org TEXT NOT NULL, by_id TEXT NOT NULL, code TEXT NOT NULL, note TEXT, deadline INTEGER,
        at INTEGER NOT NULL, PRIMARY KEY (org, id, record, state, by_org, by_id)
    ) WITHOUT ROWID;
    INSERT INTO marks_each SELECT org, id, record, state, org, by_id, code, note, deadline, at
        FROM marks;
    DROP TABLE marks;
    ALTER TABLE marks_each RENAME TO marks;

    -- Legal holds by case: what they name is not deleted while they stand. See holds.py.
    CREATE TABLE holds (
        no INTEGER PRIMARY KEY, case_ref TEXT NOT NULL, reason TEXT NOT NULL, person TEXT NOT NULL,
        at INTEGER NOT NULL, lifted INTEGER, lifted_by TEXT, lifted_reason TEXT
    );
    CREATE TABLE held_bundles (
        hold INTEGER NOT NULL, org TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (hold, org, id)
    ) WITHOUT ROWID;
    """,
    """
    -- Requests, answers and sightings: facts of verified bundles. record -1 = the whole bundle.
    CREATE TABLE requests (
        org TEXT NOT NULL, id TEXT NOT NULL, way TEXT NOT NULL, ask TEXT NOT NULL,
        arrived INTEGER NOT NULL, deadline INTEGER NOT NULL, closed INTEGER, close TEXT,
        PRIMARY KEY (org, id)
    ) WITHOUT ROWID;
    CREATE INDEX requests_by_deadline ON requests (deadline);
    CREATE TABLE answers (
        request_org TEXT NOT NULL, request TEXT NOT NULL, org TEXT NOT NULL, id TEXT NOT NULL,
        outcome TEXT NOT NULL, reason TEXT, at INTEGER NOT NULL,
        PRIMARY KEY (request_org, request, org, id)
    ) WITHOUT ROWID;
    CREATE TABLE sightings (
        org TEXT NOT NULL, bundle TEXT NOT NULL, record INTEGER NOT NULL, by_org TEXT NOT NULL,
        by_id TEXT NOT NULL, saw TEXT NOT NULL, count TEXT NOT NULL, period TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (org, bundle, record, by_org, by_id, saw)
    ) WITHOUT ROWID;
    """,
    """
    -- Our own events of the hub's audit trail, each verified; one row of our head there.
    CREATE TABLE own_events (
        seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, what TEXT NOT NULL,
        actor TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL
    );
    CREATE INDEX own_events_by_subject ON own_events (subject, what);
    CREATE TABLE own_head (
        only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, number INTEGER NOT NULL,
        chain BLOB NOT NULL, bound INTEGER NOT NULL, checked INTEGER NOT NULL
    );
    """,
    """
    -- Which family of terms a run belongs to; see terms.py. Words of notes, prefixes and hosts
    -- above a host are new: reindex.py adds them for what was stored before.
    ALTER TABLE term_runs ADD COLUMN family INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE searches ADD COLUMN manner TEXT NOT NULL DEFAULT 'values';

    -- Values that somebody wants to hear of, and each record that held one when it came.
    CREATE TABLE watches (
        no INTEGER PRIMARY KEY, sought TEXT NOT NULL, kind TEXT NOT NULL, network TEXT,
        value TEXT NOT NULL, subdomains INTEGER NOT NULL, reason TEXT NOT NULL,
        person TEXT NOT NULL, at INTEGER NOT NULL, expires INTEGER NOT NULL,
        removed INTEGER, removed_by TEXT, terms BLOB NOT NULL
    );
    CREATE TABLE watch_hits (
        watch INTEGER NOT NULL, bundle INTEGER NOT NULL, record INTEGER NOT NULL,
        found_as TEXT NOT NULL, at INTEGER NOT NULL, seen INTEGER,
        PRIMARY KEY (watch, bundle, record)
    ) WITHOUT ROWID;
    CREATE INDEX watch_hits_by_time ON watch_hits (at);

    -- Files of our own that were matched here; the counts come when the run ended.
    CREATE TABLE screenings (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL,
        name TEXT NOT NULL, sha256 BLOB NOT NULL, list_sha256 BLOB NOT NULL,
        list_records INTEGER NOT NULL, rows INTEGER, matched INTEGER, refused INTEGER
    );
    """,
    """
    -- The hub's openings of an accepted bundle and their path under the checkpoint of that size,
    -- for evidence: the hub erases its own copy after its time. Events are read again for it.
    ALTER TABLE own_events ADD COLUMN opened BLOB;
    ALTER TABLE own_events ADD COLUMN path BLOB;
    ALTER TABLE own_events ADD COLUMN size INTEGER;
    DELETE FROM own_events;
    DELETE FROM own_head;

    -- Files of evidence that were made. key: hash of the facts in it; statement: what this desk
    -- signed; audit, directory: the checkpoints. From these the same file is made again.
    CREATE TABLE evidence (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL,
        org TEXT NOT NULL, id TEXT NOT NULL, record INTEGER NOT NULL, key BLOB NOT NULL UNIQUE,
        statement BLOB NOT NULL, audit BLOB NOT NULL, directory BLOB NOT NULL
    );
    CREATE INDEX evidence_by_record ON evidence (org, id, record);
    """,
    """
    -- What waits for a second person: plan as JSON, record lines as zstd; digest over both.
    CREATE TABLE drafts (
        no INTEGER PRIMARY KEY, at INTEGER NOT NULL, maker TEXT NOT NULL, name TEXT NOT NULL,
        plan BLOB NOT NULL, n INTEGER NOT NULL, lines BLOB, digest BLOB NOT NULL,
        state TEXT NOT NULL, decided INTEGER, decided_by TEXT, reason TEXT
    );
    CREATE TABLE presets (name TEXT PRIMARY KEY, wishes BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    -- Guard lists that this desk goes by, and what each held when it was last read.
    CREATE TABLE guard_lists (
        path TEXT PRIMARY KEY, place TEXT NOT NULL, name TEXT NOT NULL, version TEXT,
        sha256 BLOB NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, marks BLOB NOT NULL
    );
    """,
    """
    -- The journal as a tree: each row a leaf, its salt beside it (journal_leaves.py; rows that are
    -- there become leaves then), and the heads of it that were sent.
    CREATE TABLE journal_leaves (
        place INTEGER PRIMARY KEY, kind TEXT NOT NULL, no INTEGER NOT NULL, salt BLOB NOT NULL,
        hash BLOB NOT NULL, UNIQUE (kind, no)
    );
    CREATE TABLE journal_heads (
        size INTEGER NOT NULL, root BLOB NOT NULL, at INTEGER NOT NULL, number INTEGER,
        PRIMARY KEY (size, root)
    ) WITHOUT ROWID;
    """,
    """
    -- Whose bundle an event of the hub is about: ids are unique for each sender only. Empty where
    -- the hub did not tell it yet; who had a bundle accepted was its sender then, too.
    ALTER TABLE own_events ADD COLUMN sender TEXT NOT NULL DEFAULT '';
    UPDATE own_events SET sender = actor WHERE what = 'bundle.accepted';
    """,
    """
    -- The journal has a name: the setting journal_name, made with this version
    -- (journal_names.py). journal_restart holds a restart until the hub has it.
    """,
    """
    -- Heads of our journal keep their proof in own_events, as acceptances do, for custody in
    -- evidence. Rows under heads of before are under the next one, too.
    CREATE INDEX own_events_kept ON own_events (what, number) WHERE opened IS NOT NULL;
    """,
)
"""Scripts that lead from one version to the next; the first makes an empty vault."""
