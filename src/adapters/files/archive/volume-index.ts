/** The index of a volume: which block of which segment holds what. Written once, then only read; a SQLite file. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ArchivedPiece } from '../../../event-sourcing/archive/archive-storage.ts';
import type { Position, ReadDirection, RecordedEvent } from '../../../event-sourcing/event-store.ts';
import { translated } from '../../sqlite/database.ts';

/** A part of a segment that is compressed for itself. */
export interface Block {
  readonly id: number;
  /** Name of its file. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Blocks and pieces that are asked for at once. */
const PAGE = 64;

/** "OBAI"; files of other programs are never taken for an index. */
const SCHEMA = `
  PRAGMA application_id = 0x4f424149;
  PRAGMA user_version = 1;
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, segment TEXT NOT NULL, offset INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    first_position INTEGER NOT NULL, last_position INTEGER NOT NULL
  );
  CREATE TABLE pieces (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first INTEGER NOT NULL, cut_before INTEGER NOT NULL);
  CREATE TABLE places (
    piece INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY (piece, first)
  ) WITHOUT ROWID;
`;

interface Piece {
  readonly id: number;
  readonly first: number;
  last: number;
}

/** Fills a new index, one block after the other; it holds one entry a stream in memory. */
export class VolumeIndexWriter {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #pieces = new Map<string, Piece>();
  readonly #addBlock: StatementSync;
  readonly #addPlace: StatementSync;
  #blocks = 0;

  constructor(path: string) {
    this.#path = path;
    this.#db = translated(path, () => new DatabaseSync(path));
    try {
      // Until it is whole nobody reads it, and half of one is thrown away.
      translated(path, () =>
        this.#db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; ${SCHEMA}`),
      );
      this.#addBlock = this.#db.prepare('INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)');
      this.#addPlace = this.#db.prepare('INSERT INTO places VALUES (?, ?, ?, ?)');
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** @param events of the block; those of a stream follow one another without a gap, here and over all blocks */
  add(block: Omit<Block, 'id'>, events: readonly RecordedEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (!first || !last) return;
    translated(this.#path, () => {
      this.#blocks += 1;
      const { segment, offset, bytes, sha256 } = block;
      this.#addBlock.run(this.#blocks, segment, offset, bytes, sha256, first.position, last.position);
      for (const [stream, revisions] of rangesOf(events)) this.#place(stream, revisions);
    });
  }

  /** Writes what is left, and closes. @returns the streams */
  finish(): number {
    translated(this.#path, () => {
      const addPiece = this.#db.prepare('INSERT INTO pieces VALUES (?, ?, ?, ?)');
      for (const [stream, { id, first, last }] of this.#pieces) addPiece.run(id, stream, first, last + 1);
      this.#db.exec('CREATE UNIQUE INDEX pieces_by_stream ON pieces (stream); COMMIT');
    });
    this.#db.close();
    return this.#pieces.size;
  }

  /** Leaves it as it is: it will be deleted. */
  abandon(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #place(stream: string, [first, last]: readonly [number, number]): void {
    const piece = this.#pieces.get(stream) ?? { id: this.#pieces.size + 1, first, last };
    piece.last = last;
    this.#pieces.set(stream, piece);
    this.#addPlace.run(piece.id, first, last, this.#blocks);
  }
}

function rangesOf(events: readonly RecordedEvent[]): Map<string, readonly [number, number]> {
  const ranges = new Map<string, readonly [number, number]>();
  for (const { stream, revision } of events) {
    ranges.set(stream, [ranges.get(stream)?.[0] ?? revision, revision]);
  }
  return ranges;
}

const BLOCK_FIELDS = 'b.id, b.segment, b.offset, b.bytes, b.sha256';

export class VolumeIndex {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #piece: StatementSync;
  readonly #piecePage: StatementSync;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;
  readonly #placesForwards: StatementSync;
  readonly #placesBackwards: StatementSync;

  /** @throws StoreError when it cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#db = translated(path, () => new DatabaseSync(path, { readOnly: true }));
    const prepare = (sql: string) => translated(path, () => this.#db.prepare(sql));
    this.#piece = prepare('SELECT id, stream, first, cut_before FROM pieces WHERE stream = ?');
    this.#piecePage = prepare(
      `SELECT id, stream, first, cut_before FROM pieces WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
    );
    this.#forwards = prepare(
      `SELECT ${BLOCK_FIELDS} FROM blocks b WHERE b.id > ? AND b.last_position >= ? ORDER BY b.id LIMIT ${PAGE}`,
    );
    this.#backwards = prepare(
      `SELECT ${BLOCK_FIELDS} FROM blocks b WHERE b.id < ? AND b.first_position <= ? ORDER BY b.id DESC LIMIT ${PAGE}`,
    );
    const places = `SELECT ${BLOCK_FIELDS} FROM places p JOIN blocks b ON b.id = p.block WHERE p.piece = ?`;
    this.#placesForwards = prepare(
      `${places} AND p.block > ? AND p.last >= ? AND p.first <= ? ORDER BY p.first LIMIT ${PAGE}`,
    );
    this.#placesBackwards = prepare(
      `${places} AND p.block < ? AND p.last >= ? AND p.first <= ? ORDER BY p.first DESC LIMIT ${PAGE}`,
    );
  }

  pieceOf(stream: string): (ArchivedPiece & { readonly id: number }) | undefined {
    const row = translated(this.#path, () => this.#piece.get(stream)) as PieceRow | undefined;
    return row && pieceOf(row);
  }

  *pieces(): Generator<ArchivedPiece> {
    for (let after = 0; ; ) {
      const rows = translated(this.#path, () => this.#piecePage.all(after)) as unknown as PieceRow[];
      for (const row of rows) yield pieceOf(row);
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      after = last.id;
    }
  }

  /** The blocks with positions from one on. */
  *blocksFrom(from: Position, direction: ReadDirection): Generator<Block> {
    const statement = direction === 'forwards' ? this.#forwards : this.#backwards;
    yield* this.#blocks(direction, (after) => statement.all(after, from));
  }

  /** The blocks that hold those revisions of a piece. */
  *blocksOf(piece: number, first: number, last: number, direction: ReadDirection): Generator<Block> {
    const statement = direction === 'forwards' ? this.#placesForwards : this.#placesBackwards;
    yield* this.#blocks(direction, (after) => statement.all(piece, after, first, last));
  }

  close(): void {
    this.#db.close();
  }

  /** A page at a time: no cursor stays open while a consumer works. */
  *#blocks(direction: ReadDirection, page: (after: number) => unknown): Generator<Block> {
    for (let after = direction === 'forwards' ? 0 : Number.MAX_SAFE_INTEGER; ; ) {
      const blocks = translated(this.#path, () => page(after)) as Block[];
      yield* blocks;
      const last = blocks.at(-1);
      if (!last || blocks.length < PAGE) return;
      after = last.id;
    }
  }
}

interface PieceRow {
  readonly id: number;
  readonly stream: string;
  readonly first: number;
  readonly cut_before: number;
}

function pieceOf({ id, stream, first, cut_before }: PieceRow): ArchivedPiece & { readonly id: number } {
  return { id, stream, first, cutBefore: cut_before };
}
