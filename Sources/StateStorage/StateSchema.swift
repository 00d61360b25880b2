import GRDB

// The schema of the state. Migrations only append: a released one is never edited.

enum StateSchema {
    /// "must": in the header of every state file, so that a file of another program is told apart without opening it.
    static let applicationID: Int32 = 0x6D75_7374

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 first release") { try $0.execute(sql: first) }
        migrator.registerMigration("2 what a run was about") { try $0.execute(sql: second) }
        migrator.registerMigration("3 clocks that do not jump") { try $0.execute(sql: third) }
        return migrator
    }

    /// When an object was made, when a run was heard of last, and when a lease ends, on the wall clock and as the time
    /// since the machine's start ("BOOT MILLISECONDS"; empty where that is not known).
    private static let third = """
        ALTER TABLE resources ADD COLUMN made INTEGER;
        ALTER TABLE resources ADD COLUMN made_uptime TEXT NOT NULL DEFAULT '';
        ALTER TABLE runs ADD COLUMN seen INTEGER;
        ALTER TABLE runs ADD COLUMN seen_uptime TEXT NOT NULL DEFAULT '';
        ALTER TABLE leases ADD COLUMN expiry_uptime TEXT NOT NULL DEFAULT '';
        CREATE INDEX runs_by_holder ON runs (holder);
        """

    private static let second = """
        -- The words that started it, without values; and how many steps its plan had.
        ALTER TABLE runs ADD COLUMN command TEXT NOT NULL DEFAULT '';
        ALTER TABLE runs ADD COLUMN planned INTEGER NOT NULL DEFAULT 0 CHECK (planned >= 0);
        """

    private static let first = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            lineage TEXT NOT NULL CHECK (length(lineage) > 0),
            workspace TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE bindings (
            key TEXT PRIMARY KEY,
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            endpoint TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- `deposed` is empty for the row of the address, and the remote id for a predecessor that is still to go.
        CREATE TABLE resources (
            id INTEGER PRIMARY KEY,
            address TEXT NOT NULL CHECK (length(address) > 0),
            deposed TEXT NOT NULL DEFAULT '' CHECK (deposed IN ('', remote_id)),
            stack TEXT NOT NULL,
            type TEXT NOT NULL,
            remote_id TEXT NOT NULL CHECK (length(remote_id) > 0),
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            region TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            arguments TEXT NOT NULL CHECK (json_valid(arguments)),
            outputs TEXT NOT NULL CHECK (json_valid(outputs)),
            digests TEXT NOT NULL CHECK (json_valid(digests)),
            protected INTEGER NOT NULL CHECK (protected IN (0, 1)),
            version INTEGER NOT NULL CHECK (version > 0),
            generation INTEGER NOT NULL CHECK (generation > 0),
            incomplete INTEGER NOT NULL CHECK (incomplete IN (0, 1)),
            UNIQUE (address, deposed)
        ) STRICT;
        CREATE UNIQUE INDEX resources_by_object ON resources (remote_id, type, account, region, provider, endpoint);
        CREATE INDEX resources_by_stack ON resources (stack);

        CREATE TABLE edges (
            resource INTEGER NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
            dependency TEXT NOT NULL,
            PRIMARY KEY (resource, dependency)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX edges_by_dependency ON edges (dependency);

        -- Kept when the row is gone, so that a version never comes twice.
        CREATE TABLE address_versions (
            address TEXT PRIMARY KEY,
            stack TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            plan TEXT NOT NULL,
            holder TEXT NOT NULL,
            who TEXT NOT NULL,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            git_commit TEXT,
            started INTEGER NOT NULL,
            ended INTEGER,
            outcome TEXT NOT NULL
                CHECK (outcome IN ('running', 'done', 'failed', 'interrupted', 'refused', 'died'))
        ) STRICT;
        CREATE INDEX runs_by_plan ON runs (plan);
        CREATE INDEX runs_running ON runs (holder) WHERE outcome = 'running';

        CREATE TABLE run_steps (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            address TEXT NOT NULL,
            operation TEXT NOT NULL CHECK (operation IN ('create', 'update', 'delete', 'adopt', 'forget', 'move')),
            outcome TEXT NOT NULL
                CHECK (outcome IN ('running', 'done', 'failed', 'skipped', 'interrupted', 'settled')),
            detail TEXT,
            request_ids TEXT NOT NULL CHECK (json_valid(request_ids)),
            version INTEGER,
            started INTEGER NOT NULL,
            ended INTEGER,
            PRIMARY KEY (run, step)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE intents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run INTEGER NOT NULL REFERENCES runs (id),
            step INTEGER NOT NULL,
            address TEXT NOT NULL,
            stack TEXT NOT NULL,
            operation TEXT NOT NULL CHECK (operation IN ('create', 'update', 'delete')),
            target TEXT CHECK ((target IS NULL) = (operation = 'create')),
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            region TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            token TEXT NOT NULL CHECK (length(token) > 0),
            arguments TEXT NOT NULL CHECK (json_valid(arguments)),
            digests TEXT NOT NULL CHECK (json_valid(digests)),
            was_absent INTEGER NOT NULL CHECK (was_absent IN (0, 1)),
            expected_version INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            protected INTEGER NOT NULL CHECK (protected IN (0, 1)),
            deposed INTEGER NOT NULL CHECK (deposed IN (0, 1)),
            deposes_previous INTEGER NOT NULL CHECK (deposes_previous IN (0, 1)),
            dependencies TEXT NOT NULL CHECK (json_valid(dependencies)),
            started INTEGER NOT NULL
        ) STRICT;
        -- One call at a time per object.
        CREATE UNIQUE INDEX intents_by_address ON intents (address, deposed, coalesce(target, '') )
            WHERE deposed = 1;
        CREATE UNIQUE INDEX intents_by_row ON intents (address) WHERE deposed = 0;

        CREATE TABLE outputs (
            stack TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL CHECK (json_valid(value)),
            PRIMARY KEY (stack, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE leases (
            stack TEXT NOT NULL,
            holder TEXT NOT NULL,
            who TEXT NOT NULL,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            process TEXT NOT NULL,
            mode TEXT NOT NULL CHECK (mode IN ('exclusive', 'shared')),
            acquired INTEGER NOT NULL,
            heartbeat INTEGER NOT NULL,
            expiry INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            PRIMARY KEY (stack, holder)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE lease_epochs (
            stack TEXT PRIMARY KEY,
            epoch INTEGER NOT NULL CHECK (epoch > 0)
        ) STRICT, WITHOUT ROWID;
        """
}
