/** The names of streams and event types by their numbers, which never change; those met lately are kept in memory. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventRow, LogRow } from './event-schema.ts';

/** Names kept; when there are more, it starts over. About 10 MB. */
const NAMES_MAX = 60_000;

export class NamesById {
  readonly #streams: KnownNames;
  readonly #types: KnownNames;

  constructor(db: DatabaseSync) {
    this.#streams = new KnownNames(db.prepare('SELECT name FROM streams WHERE id = ?'));
    this.#types = new KnownNames(db.prepare('SELECT name FROM types WHERE id = ?'));
  }

  /** Puts the names in place of the numbers. @returns the same rows */
  fillIn(rows: readonly LogRow[]): EventRow[] {
    const filled = rows as unknown as EventRow[];
    rows.forEach(([, stream, , type], index) => {
      const row = filled[index] as EventRow;
      row[1] = this.#streams.of(stream);
      row[3] = this.#types.of(type);
    });
    return filled;
  }
}

class KnownNames {
  readonly #select: StatementSync;
  readonly #known = new Map<number, string>();

  constructor(select: StatementSync) {
    this.#select = select;
  }

  of(id: number): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const { name } = this.#select.get(id) as { name: string };
    if (this.#known.size >= NAMES_MAX) this.#known.clear();
    this.#known.set(id, name);
    return name;
  }
}
