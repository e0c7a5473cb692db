/** Consumer groups as one process has them, which a test can crash while the store itself stays open. */
import type { DatabaseSync } from 'node:sqlite';
import { SqliteConsumerGroups } from '../../../src/adapters/sqlite/consumer-groups.ts';
import type { SqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';

export class CrashableGroups {
  readonly groups: SqliteConsumerGroups;
  /** Makes every write fail, as a broken disk does. */
  diskFails = false;
  #crashed = false;

  constructor(store: SqliteEventStore) {
    const { db } = store as unknown as { db: DatabaseSync };
    const head = db.prepare('SELECT coalesce(max(position), 0) AS head FROM events');
    this.groups = new SqliteConsumerGroups({
      db,
      name: 'the store',
      appended: store.appended,
      // Who has crashed sees no new events, and writes nothing any more.
      head: () => (this.#crashed ? 0 : (head.get() as { head: number }).head),
      atomically: (work) => {
        if (this.diskFails || this.#crashed) throw new StoreError('disk_full', 'The disk fails.');
        db.exec('BEGIN');
        const result = work();
        db.exec('COMMIT');
        return result;
      },
    });
  }

  /** From here on nothing of what it knows reaches the store. */
  crash(): void {
    this.#crashed = true;
    this.groups.close();
  }
}
