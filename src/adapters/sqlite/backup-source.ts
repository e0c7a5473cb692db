/** The embedded event store as a backup reads it: beside its writer, and at the end as it is at one instant. */
import type { LiveReader } from '../../event-sourcing/archive/archived-event-reader.ts';
import type {
  GroupState,
  MessageState,
  StateRecord,
  StreamState,
} from '../../event-sourcing/backup/backup-state.ts';
import type { BackupSource } from '../../event-sourcing/backup/write-backup.ts';
import { SNAPSHOT_STREAM_PREFIX } from '../../event-sourcing/snapshots/snapshot-streams.ts';
import { openForReading, translated } from './database.ts';
import { SqliteEventReader } from './event-reader.ts';

const PAGE_ROWS = 512;

type StreamRow = { id: number; stream: string; metadata: string; first: number; removed: number };

/** Opens a store for a backup, beside its writer. @throws StoreError `unavailable` or `corrupt` */
export function openBackupSource(path: string): { source: BackupSource & LiveReader; close: () => void } {
  const db = openForReading(path);
  try {
    return { source: translated(path, () => new SqliteBackupSource(db, path)), close: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
}

class SqliteBackupSource extends SqliteEventReader implements BackupSource {
  /** The snapshot begins with the first read after it; appends go on meanwhile, into the write-ahead log. */
  freeze(): void {
    translated(this.name, () => this.db.exec('BEGIN'));
  }

  thaw(): void {
    if (this.db.isTransaction) translated(this.name, () => this.db.exec('COMMIT'));
  }

  *states(): Generator<StateRecord> {
    yield* this.#streams();
    for (const { id, ...group } of this.#groups()) {
      yield group;
      yield* this.#messages(id, group.name);
    }
  }

  *#streams(): Generator<StreamState> {
    const statement = this.db.prepare(
      `SELECT id, name AS stream, metadata, first_revision AS first, last_removed_revision AS removed FROM streams
       WHERE id > ? AND (metadata <> '{}' OR first_revision > 0 OR last_removed_revision >= 0)
       ORDER BY id LIMIT ${PAGE_ROWS}`,
    );
    for (const row of this.#paged<StreamRow>(
      (after) => statement.all(after),
      ({ id }) => id,
    )) {
      // Snapshots are made anew.
      if (row.stream.startsWith(SNAPSHOT_STREAM_PREFIX)) continue;
      yield {
        kind: 'stream',
        stream: row.stream,
        first_revision: row.first,
        last_removed_revision: row.removed,
        stream_metadata: JSON.parse(row.metadata) as StreamState['stream_metadata'],
      };
    }
  }

  #groups(): (GroupState & { readonly id: number })[] {
    const sql = 'SELECT id, name, settings, checkpoint, delivered_to FROM consumer_groups ORDER BY id';
    const found = translated(this.name, () => this.db.prepare(sql).all());
    return (found as unknown as Omit<GroupState & { id: number }, 'kind'>[]).map((row) => ({
      kind: 'group',
      ...row,
    }));
  }

  *#messages(group: number, name: string): Generator<MessageState> {
    // In the order of the row ids, which is the one in which parked messages were parked.
    const statement = this.db.prepare(
      `SELECT rowid AS id, position, state, deliveries, parked_at, reason FROM consumer_group_messages
       WHERE rowid > ? AND consumer_group = ? ORDER BY rowid LIMIT ${PAGE_ROWS}`,
    );
    type Row = Omit<MessageState, 'kind' | 'group'> & { id: number };
    const rows = this.#paged<Row>(
      (after) => statement.all(after, group),
      ({ id }) => id,
    );
    for (const { id: _id, ...row } of rows) yield { kind: 'message', group: name, ...row };
  }

  *#paged<R>(read: (after: number) => unknown[], idOf: (row: R) => number): Generator<R> {
    let after = -1;
    for (;;) {
      const page = translated(this.name, () => read(after)) as R[];
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS) return;
      after = idOf(last);
    }
  }
}
