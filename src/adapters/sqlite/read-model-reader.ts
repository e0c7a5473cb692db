/** Reads the embedded read models, over the writer's connection or over one of its own. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type {
  Build,
  Checkpoint,
  Collection,
  DeadLetter,
  DeadLetterFilter,
  Document,
  FindOptions,
  LeaseRecord,
  Ranking,
  RankOptions,
  ReadModelReader,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { translated } from './database.ts';

type DocumentRow = [
  key: string,
  sequence: number,
  position: number,
  document: string | null,
  blocked: number,
];

/**
 * An index gives documents by their sequence; the order of those that share one takes a sorter, through which SQLite
 * passes every row whole. Few do, so the sorter is only asked where it matters.
 */
type Sorting = 'by_sequence' | 'by_key_too';

/** Statements that a reader keeps prepared. */
const STATEMENTS_MAX = 200;

/** A build that is served, as its pointer names it. */
type LiveBuild = Pick<Build, 'version' | 'build'>;

/** Checkpoints of what is served: those of live builds, and of projections that have none. */
const IS_SERVED = `build = coalesce((SELECT l.build FROM live_builds l WHERE l.projection = t.projection), 0)`;

/** Reads documents over the connection of the writer, or over one of its own beside it. */
export class SqliteReadModelReader implements ReadModelReader {
  protected readonly db: DatabaseSync;
  protected readonly name: string;
  readonly #gets = new Map<string, StatementSync>();
  readonly #finds = new Map<string, StatementSync>();
  readonly #checkpoints: StatementSync;
  readonly #builds: StatementSync;
  #live: ReadonlyMap<string, LiveBuild> | undefined;

  constructor(db: DatabaseSync, name: string) {
    this.db = db;
    this.name = name;
    this.#checkpoints = db.prepare(
      `SELECT projection, version, position FROM checkpoints t WHERE ${IS_SERVED}`,
    );
    this.#builds = db.prepare('SELECT projection, version, build FROM live_builds');
  }

  async get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    const statement = this.#get(this.placeOf(collection));
    const row = translated(this.name, () => statement?.get(key)) as DocumentRow | undefined;
    return row && toStored<D>(row);
  }

  async find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]> {
    const fields = Object.keys(options.where ?? {});
    const unknown = fields.find((field) => !collection.indexes.includes(field));
    if (unknown) throw new Error(`${collection.name} has no index on ${unknown}`);
    if (fields.length === 0 && !collection.listed)
      throw new Error(`${collection.name} cannot be listed as a whole`);
    const parameters: SQLInputValue[] = fields.map((field) => options.where?.[field] as string);
    if (options.after) parameters.push(Number(options.after.sequence), options.after.key);
    const place = this.placeOf(collection);
    const read = (sorting: Sorting, limit: number) => {
      const statement = this.#find(place, fields, options, sorting);
      return translated(
        this.name,
        () => statement?.all(...parameters, limit) ?? [],
      ) as unknown as DocumentRow[];
    };
    // One more than asked for: it tells whether the last document of the page has others beside it.
    const found = read('by_sequence', options.limit + 1);
    const sorted = haveOwnSequences(found)
      ? found.slice(0, options.limit)
      : read('by_key_too', options.limit);
    return sorted.map(toStored<D>);
  }

  async rank<D extends Document>(collection: Collection, options: RankOptions): Promise<StoredDocument<D>[]> {
    const { by, within, after, limit } = options;
    const ranking = collection.rankings?.find((one) => one.by === by);
    if (!ranking) throw new Error(`${collection.name} has no ranking by ${by}`);
    const statement = this.#rank(this.placeOf(collection), ranking, options);
    const start: SQLInputValue[] = after ? [after.value, after.key] : [];
    const found = translated(this.name, () => statement?.all(within, ...start, limit) ?? []);
    return (found as unknown as DocumentRow[]).map(toStored<D>);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const found = translated(this.name, () => this.#checkpoints.all());
    return (found as { projection: string; version: number; position: number }[]).map((row) => ({
      ...row,
      position: BigInt(row.position),
    }));
  }

  async builds(): Promise<Build[]> {
    const live = this.live();
    const found = translated(this.name, () =>
      this.db.prepare('SELECT projection, version, build, position FROM checkpoints').all(),
    ) as { projection: string; version: number; build: number; position: number }[];
    const builds = found.map((row) => ({
      ...row,
      live: isSame(live.get(row.projection), row),
      position: BigInt(row.position),
    }));
    const untouched = [...live].filter(
      ([projection, one]) => !builds.some((row) => row.live && row.projection === projection && one),
    );
    return [
      ...builds,
      ...untouched.map(([projection, one]) => ({ projection, ...one, live: true, position: 0n })),
    ];
  }

  async countDeadLetters(): Promise<number> {
    const sql = `SELECT count(*) AS n FROM dead_letters t WHERE ${IS_SERVED}`;
    const row = translated(this.name, () => this.db.prepare(sql).get());
    return (row as { n: number }).n;
  }

  async listDeadLetters(options: DeadLetterFilter): Promise<DeadLetter[]> {
    const { projection = null, documentKey = null, build = null, after, limit } = options;
    const sql = `SELECT * FROM dead_letters t
      WHERE (?1 IS NULL OR projection = ?1) AND (?2 IS NULL OR document_key = ?2)
        AND CASE WHEN ?3 IS NULL THEN ${IS_SERVED} ELSE build = ?3 END
        AND (position, projection, document_key) > (?4, ?5, ?6)
      ORDER BY position, projection, document_key LIMIT ?7`;
    const start: SQLInputValue[] = after
      ? [Number(after.position), after.projection, after.documentKey]
      : [-1, '', ''];
    const found = translated(this.name, () =>
      this.db.prepare(sql).all(projection, documentKey, build, ...start, limit),
    );
    return found.map(toDeadLetter);
  }

  async listLeases(): Promise<LeaseRecord[]> {
    return translated(this.name, () => this.leases());
  }

  protected leases(): LeaseRecord[] {
    const found = this.db.prepare('SELECT name, holder, token, renewals FROM leases').all();
    return (found as unknown as LeaseRecord[]).map((row) => ({ ...row }));
  }

  /** Where the documents are: in the build that is served, unless another one is asked for. */
  protected placeOf(collection: Collection): Collection {
    if (collection.build !== undefined) return collection;
    const live = this.live().get(collection.name);
    return live ? { ...collection, ...live } : collection;
  }

  /** The pointers, as long as `forgetLive` is called whenever they may have changed. */
  protected live(): ReadonlyMap<string, LiveBuild> {
    if (this.#live) return this.#live;
    const found = translated(this.name, () => this.#builds.all());
    const rows = found as unknown as (LiveBuild & { projection: string })[];
    this.#live = new Map(rows.map(({ projection, version, build }) => [projection, { version, build }]));
    return this.#live;
  }

  protected forgetLive(): void {
    this.#live = undefined;
    // Statements of tables that are no more are let go with those of the others, once in a while.
    if (this.#gets.size + this.#finds.size < STATEMENTS_MAX) return;
    this.#gets.clear();
    this.#finds.clear();
  }

  /** Nothing where there is no table yet: whoever fills it has not begun. */
  #get(collection: Collection): StatementSync | undefined {
    const table = tableOf(collection);
    const known = this.#gets.get(table);
    if (known) return known;
    if (!this.#exists(table)) return undefined;
    const statement = this.#rows(
      `SELECT key, sequence, position, document, blocked FROM ${table} WHERE key = ?`,
    );
    this.#gets.set(table, statement);
    return statement;
  }

  #exists(table: string): boolean {
    const sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
    return translated(this.name, () => this.db.prepare(sql).get(table)) !== undefined;
  }

  #rows(sql: string): StatementSync {
    return translated(this.name, () => {
      const statement = this.db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    });
  }

  #find(
    collection: Collection,
    fields: readonly string[],
    options: FindOptions,
    sorting: Sorting,
  ): StatementSync | undefined {
    const [order, beyond] = options.order === 'newest_first' ? ['DESC', '<'] : ['ASC', '>'];
    const conditions = fields.map((field) => `${field} = ?`);
    if (options.after) conditions.push(`(sequence, key) ${beyond} (?, ?)`);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const byKey = sorting === 'by_key_too' ? `, key ${order}` : '';
    return this.#list(collection, `${where} ORDER BY sequence ${order}${byKey} LIMIT ?`);
  }

  #rank(
    collection: Collection,
    { by, within }: Ranking,
    { order, after }: RankOptions,
  ): StatementSync | undefined {
    const [direction, beyond] = order === 'largest_first' ? ['DESC', '<'] : ['ASC', '>'];
    const start = after ? ` AND (${by}, key) ${beyond} (?, ?)` : '';
    const where = `WHERE ${within} = ? AND ${by} IS NOT NULL${start}`;
    return this.#list(collection, `${where} ORDER BY ${by} ${direction}, key ${direction} LIMIT ?`);
  }

  #list(collection: Collection, what: string): StatementSync | undefined {
    const sql = `SELECT key, sequence, position, document, blocked FROM ${tableOf(collection)} ${what}`;
    const known = this.#finds.get(sql);
    if (known) return known;
    if (!this.#exists(tableOf(collection))) return undefined;
    const statement = this.#rows(sql);
    this.#finds.set(sql, statement);
    return statement;
  }
}

/** The table of a collection: each build has its own, and a version that has none. */
export function tableOf({ name, version, build }: Collection): string {
  return build ? `collection_${name}_build_${build}` : `collection_${name}_v${version}`;
}

function isSame(live: LiveBuild | undefined, row: LiveBuild): boolean {
  return live?.build === row.build && live.version === row.version;
}

/** Whether no two documents that follow each other share a sequence. */
function haveOwnSequences(rows: readonly DocumentRow[]): boolean {
  return rows.every((row, index) => index === 0 || row[1] !== rows[index - 1]?.[1]);
}

function toStored<D extends Document>(row: DocumentRow): StoredDocument<D> {
  const [key, sequence, position, document, blocked] = row;
  const stored = { key, sequence: BigInt(sequence), position: BigInt(position), blocked: blocked === 1 };
  return document === null ? stored : { ...stored, document: JSON.parse(document) as D };
}

function toDeadLetter(row: Record<string, unknown>): DeadLetter {
  return {
    projection: row.projection as string,
    documentKey: row.document_key as string,
    position: BigInt(row.position as number),
    stream: row.stream as string,
    revision: row.revision as number,
    eventId: row.event_id as string,
    eventType: row.event_type as string,
    cause: row.cause as string,
    attempts: row.attempts as number,
    deadSince: row.dead_since as string,
  };
}
