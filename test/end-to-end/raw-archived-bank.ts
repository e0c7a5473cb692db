/** Every event of a bank as it lies on the disk, in the store's rows and in the archive's segments: read with nothing of the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';

export interface RawBank {
  /** Every event of accounts, as `[id, type, position, data, metadata]` in JSON, by stream and revision: `<stream> <revision>`. */
  readonly events: ReadonlyMap<string, string>;
  /** Volumes that are entered in the catalogue, and those of them that are wholly cut off. */
  readonly recorded: readonly string[];
  readonly cut: readonly string[];
  /** Whatever may not be: an event with two contents, in two volumes, or at a place that another one has. */
  readonly wrong: readonly string[];
}

interface RawRow {
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** Reads a bank that is not running. */
export function readRawBank(dataDir: string): RawBank {
  const rows = rowsOf(dataDir);
  const catalogue = rows.filter(({ stream }) => stream === 'archive-catalogue');
  const namesOf = (type: string) =>
    catalogue.filter((row) => row.type === type).map(({ data }) => (data as { volume: string }).volume);
  const [recorded, cut] = [namesOf('ArchiveVolumeRecordedV1'), namesOf('ArchiveVolumeCutV1')];
  const found = new Gathered();
  for (const row of rows) found.add(row, 'the store');
  for (const volume of recorded) {
    for (const event of segmentsOf(dataDir, volume)) found.add(event, volume, cut.includes(volume));
  }
  return { events: found.events, recorded, cut, wrong: [...found.wrong, ...found.gaps()] };
}

class Gathered {
  readonly events = new Map<string, string>();
  readonly wrong: string[] = [];
  readonly #places = new Map<string, string>();
  readonly #positions = new Map<string, string>();
  readonly #lengths = new Map<string, number>();

  /** @param mustBeAlone whether no other place may hold it any more */
  add(
    { stream, revision, position, id, type, data, metadata }: RawRow,
    place: string,
    mustBeAlone = false,
  ): void {
    if (!stream.startsWith('bank-account-')) return;
    const key = `${stream} ${revision}`;
    const event = JSON.stringify([id, type, position, data, metadata]);
    const [known, other] = [this.events.get(key), this.#places.get(key)];
    if (known !== undefined && known !== event) this.wrong.push(`${key} is another event in ${place}`);
    if (other !== undefined && (other !== 'the store' || mustBeAlone)) {
      this.wrong.push(`${key} is in ${other} and in ${place}`);
    }
    if ((this.#positions.get(position) ?? key) !== key) this.wrong.push(`${key} shares position ${position}`);
    this.events.set(key, event);
    this.#places.set(key, place);
    this.#positions.set(position, key);
    this.#lengths.set(stream, Math.max(this.#lengths.get(stream) ?? 0, revision + 1));
  }

  gaps(): string[] {
    return [...this.#lengths].flatMap(([stream, length]) =>
      Array.from({ length }, (_, revision) => `${stream} ${revision}`)
        .filter((key) => !this.events.has(key))
        .map((key) => `${key} is nowhere`),
    );
  }
}

function rowsOf(dataDir: string): RawRow[] {
  const db = new DatabaseSync(join(dataDir, 'events.db'));
  try {
    const rows = db
      .prepare(
        `SELECT s.name AS stream, e.revision, CAST(e.position AS TEXT) AS position, e.id, t.name AS type, e.data, e.metadata
         FROM events e JOIN streams s ON s.id = e.stream JOIN types t ON t.id = e.type ORDER BY e.position`,
      )
      .all() as unknown as (RawRow & { data: string; metadata: string })[];
    return rows.map((row) => ({ ...row, data: JSON.parse(row.data), metadata: JSON.parse(row.metadata) }));
  } finally {
    db.close();
  }
}

function segmentsOf(dataDir: string, volume: string): RawRow[] {
  const archive = join(dataDir, 'archive');
  const [store = ''] = readdirSync(archive);
  const directory = join(archive, store, volume);
  const records = readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson.gz'))
    .flatMap((name) =>
      gunzipSync(readFileSync(join(directory, name)))
        .toString()
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as RawRow & { kind: string });
  return records.filter(({ kind }) => kind === 'event');
}
