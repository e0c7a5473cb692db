/** What the tests of backups share: a backup in memory, stores in files, and restores into other ones. */
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { openBackupSource } from '../../../src/adapters/sqlite/backup-source.ts';
import { openSqliteEventStore, type SqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { openRestoreTarget } from '../../../src/adapters/sqlite/restore-target.ts';
import type { BackupDirectory } from '../../../src/event-sourcing/backup/backup-directory.ts';
import {
  planRestore,
  type RestorePlan,
  type RestorePoint,
  restoreBackup,
} from '../../../src/event-sourcing/backup/restore-backup.ts';
import { type BackupResult, backUp } from '../../../src/event-sourcing/backup/write-backup.ts';
import type { EventStore, RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { collect } from '../../support/event-builders.ts';
import { MemorySegments } from '../../support/memory-segments.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export class MemoryBackup implements BackupDirectory {
  readonly name = 'the directory';
  readonly events = new MemorySegments();
  readonly states = new MemorySegments();
  manifest: string | undefined;
  /** May throw. */
  onManifest: (() => void) | undefined;

  async readManifest(): Promise<string | undefined> {
    return this.manifest;
  }

  async writeManifest(text: string): Promise<void> {
    this.onManifest?.();
    this.manifest = text;
  }

  async keepStates(sha256s: readonly string[]): Promise<void> {
    this.states.segments = this.states.segments.filter(({ sha256 }) => sha256s.includes(sha256));
  }
}

/** Files for stores, until the test has finished. */
export class Stores {
  readonly #directory = temporaryDirectory();
  readonly #open: (() => void)[] = [];
  #count = 0;

  constructor() {
    onTestFinished(async () => {
      for (const close of this.#open) close();
      this.#directory.remove();
    });
  }

  path(name: string): string {
    return this.#directory.file(name);
  }

  open(name: string): SqliteEventStore {
    const store = openSqliteEventStore({ kind: 'file', path: this.path(name) });
    this.#open.push(() => void store.close());
    return store;
  }

  /** Changes what no port changes. */
  sql(name: string, statements: string): void {
    const db = new DatabaseSync(this.path(name));
    db.exec(statements);
    db.close();
  }

  async backUp(name: string, directory: MemoryBackup, segmentEvents = 5): Promise<BackupResult> {
    const { source, close } = openBackupSource(this.path(name));
    try {
      const now = () => new Date();
      return await backUp({ source, directory, segmentEvents, now, reactors: async function* () {} });
    } finally {
      close();
    }
  }

  async restore(
    directory: BackupDirectory,
    to?: RestorePoint,
  ): Promise<{ store: SqliteEventStore; plan: RestorePlan; name: string }> {
    const plan = await planRestore(directory, to);
    this.#count += 1;
    const name = `restored-${this.#count}.db`;
    const { target, publish, close } = openRestoreTarget(this.path(name));
    try {
      await restoreBackup({ directory, target, plan });
      publish();
    } finally {
      close();
    }
    return { store: this.open(name), plan, name };
  }
}

export function logOf(store: EventStore): Promise<RecordedEvent[]> {
  return collect(store.readAll());
}
