/** The tables of consumer groups: every statement that reads or writes them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventSelection, ParkedMessage } from '../../event-sourcing/consumer-groups.ts';
import type { RecordedEvent } from '../../event-sourcing/event-store.ts';
import type { Signal } from '../../event-sourcing/signal.ts';
import type { GroupChanges, GroupProgress, MessageRow } from './consumer-groups-queue.ts';
import { EVENT_COLUMNS, type EventRow, toReadableEvent } from './event-schema.ts';

/** What the groups need of the event store that they belong to. */
export interface EventLog {
  readonly db: DatabaseSync;
  /** For messages. */
  readonly name: string;
  /** Fires when there may be new events. */
  readonly appended: Signal;
  /** The newest position ever given, 0 before the first. */
  head(): number;
  /**
   * Runs `work` in a durable transaction of its own.
   * @throws StoreError when nothing was written
   */
  atomically<T>(work: () => T): T;
}

/** The settings that may change, as they are stored. */
export interface StoredSettings extends EventSelection {
  readonly maxRetries: number;
  readonly messageTimeoutMs: number;
}

export interface StoredGroup extends GroupProgress {
  readonly id: number;
  readonly settings: StoredSettings;
}

/** Searches the log for wanted positions: behind `after`, up to `upTo`, at most `limit`. */
export type Scan = (after: number, upTo: number, limit: number) => number[];

type GroupRow = { id: number; settings: string; checkpoint: number; deliveredTo: number };
type ParkedRow = { position: number; parkedAt: number; reason: string };

export class GroupStorage {
  readonly #log: EventLog;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(log: EventLog) {
    this.#log = log;
    this.#statements = prepareStatements(log.db);
  }

  find(name: string): StoredGroup | undefined {
    const row = this.#statements.find.get(name) as GroupRow | undefined;
    return row && { ...row, settings: JSON.parse(row.settings) as StoredSettings };
  }

  create(name: string, settings: StoredSettings, checkpoint: number): void {
    this.#log.atomically(() =>
      this.#statements.create.run(name, JSON.stringify(settings), checkpoint, checkpoint),
    );
  }

  change(group: number, settings: StoredSettings): void {
    this.#log.atomically(() => this.#statements.change.run(JSON.stringify(settings), group));
  }

  delete(group: number): void {
    this.#log.atomically(() => {
      this.#statements.removeAll.run(group);
      this.#statements.delete.run(group);
    });
  }

  /** The messages that the group must know of: what waits, and what lies beyond its checkpoint. */
  messages({ id, checkpoint }: StoredGroup): MessageRow[] {
    return this.#statements.messages.all(id, checkpoint) as unknown as MessageRow[];
  }

  save(changed: readonly { readonly group: number; readonly changes: GroupChanges }[]): void {
    this.#log.atomically(() => {
      for (const { group, changes } of changed) this.#save(group, changes);
    });
  }

  scan({ streamPrefixes = [], eventTypes = [] }: EventSelection): Scan {
    const ofStreams = streamPrefixes.map(() => 'substr(s.name, 1, length(?)) = ?');
    const ofTypes = eventTypes.map(() => 't.name = ?');
    const statement = this.#log.db.prepare(
      `SELECT e.position FROM events e JOIN streams s ON s.id = e.stream JOIN types t ON t.id = e.type
       WHERE e.position > ? AND e.position <= ? AND (${[...ofStreams, ...ofTypes].join(' OR ')})
       ORDER BY e.position LIMIT ?`,
    );
    statement.setReturnArrays(true);
    const parameters = [...streamPrefixes.flatMap((prefix) => [prefix, prefix]), ...eventTypes];
    return (after, upTo, limit) =>
      (statement.all(after, upTo, ...parameters, limit) as unknown as [number][]).map(
        ([position]) => position,
      );
  }

  /** The event at a position, or nothing when it was removed. */
  event(position: number): RecordedEvent | undefined {
    const row = this.#statements.event.get(position) as unknown as EventRow | undefined;
    return row && toReadableEvent(row);
  }

  countParked(group: number): number {
    return (this.#statements.countParked.get(group) as { parked: number }).parked;
  }

  listParked(group: number, limit: number): ParkedMessage[] {
    return this.#oldestParked(group, limit).flatMap(({ position, parkedAt, reason }) => {
      const event = this.event(position);
      return event ? [{ event, reason, parkedAt: new Date(parkedAt).toISOString() }] : [];
    });
  }

  /** Makes the oldest parked messages wait again, as if they were new; answers which. */
  replayParked(group: number, limit: number): number[] {
    return this.#log.atomically(() => {
      const positions = this.#oldestParked(group, limit).map((row) => row.position);
      for (const position of positions) this.#statements.replay.run(group, position);
      return positions;
    });
  }

  /** Drops the oldest parked messages; those beyond the checkpoint leave word that they are done. Answers which. */
  discardParked(group: number, checkpoint: number, limit: number): number[] {
    return this.#log.atomically(() => {
      const positions = this.#oldestParked(group, limit).map((row) => row.position);
      for (const position of positions) {
        const statement = position > checkpoint ? this.#statements.discard : this.#statements.remove;
        statement.run(group, position);
      }
      return positions;
    });
  }

  #oldestParked(group: number, limit: number): ParkedRow[] {
    return this.#statements.oldestParked.all(group, limit) as unknown as ParkedRow[];
  }

  #save(group: number, { checkpoint, deliveredTo, rows, removed }: GroupChanges): void {
    const statements = this.#statements;
    for (const position of removed) statements.remove.run(group, position);
    for (const { position, state, deliveries, parkedAt = null, reason = null } of rows) {
      statements.put.run(group, position, state, deliveries, parkedAt, reason);
    }
    statements.advance.run(checkpoint, deliveredTo, group);
  }
}

function prepareStatements(db: DatabaseSync) {
  const prepare = (sql: string): StatementSync => db.prepare(sql);
  const event = prepare(`SELECT ${EVENT_COLUMNS} WHERE e.position = ?`);
  event.setReturnArrays(true);
  const messages = 'consumer_group_messages';
  const one = 'WHERE consumer_group = ? AND position = ?';
  const parked = `m.consumer_group = ? AND m.state = 'parked'`;
  return {
    find: prepare(
      'SELECT id, settings, checkpoint, delivered_to AS deliveredTo FROM consumer_groups WHERE name = ?',
    ),
    create: prepare(
      'INSERT INTO consumer_groups (name, settings, checkpoint, delivered_to) VALUES (?, ?, ?, ?)',
    ),
    change: prepare('UPDATE consumer_groups SET settings = ? WHERE id = ?'),
    delete: prepare('DELETE FROM consumer_groups WHERE id = ?'),
    advance: prepare('UPDATE consumer_groups SET checkpoint = ?, delivered_to = ? WHERE id = ?'),
    messages: prepare(
      `SELECT position, deliveries, state FROM ${messages}
       WHERE consumer_group = ? AND (state = 'waiting' OR position > ?) ORDER BY position`,
    ),
    // A replaced row gets a new row id, so parked messages are in the order in which they were parked.
    put: prepare(
      `INSERT OR REPLACE INTO ${messages} (consumer_group, position, state, deliveries, parked_at, reason)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    remove: prepare(`DELETE FROM ${messages} ${one}`),
    removeAll: prepare(`DELETE FROM ${messages} WHERE consumer_group = ?`),
    replay: prepare(
      `UPDATE ${messages} SET state = 'waiting', deliveries = 0, parked_at = NULL, reason = NULL ${one}`,
    ),
    discard: prepare(`UPDATE ${messages} SET state = 'done', parked_at = NULL, reason = NULL ${one}`),
    // Parked messages whose events were removed are neither counted nor found.
    countParked: prepare(
      `SELECT count(*) AS parked FROM ${messages} m JOIN events e ON e.position = m.position WHERE ${parked}`,
    ),
    oldestParked: prepare(
      `SELECT m.position, m.parked_at AS parkedAt, m.reason FROM ${messages} m JOIN events e ON e.position = m.position
       WHERE ${parked} ORDER BY m.rowid LIMIT ?`,
    ),
    event,
  };
}
