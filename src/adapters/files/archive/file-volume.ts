/** A volume as files of a directory: it is read a block at a time, and every block is held against its checksum. */
import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LRUCache } from 'lru-cache';
import type { ArchivedPiece, ArchiveVolume } from '../../../event-sourcing/archive/archive-storage.ts';
import type { Position, ReadDirection, RecordedEvent } from '../../../event-sourcing/event-store.ts';
import { decodeBlock } from '../../../event-sourcing/segments/segment-blocks.ts';
import { StoreError } from '../../../event-sourcing/store-error.ts';
import type { Block, VolumeIndex } from './volume-index.ts';

/** Blocks that were read lately, by directory and number. */
export type BlockCache = LRUCache<string, readonly RecordedEvent[]>;

export class FileVolume implements ArchiveVolume {
  readonly #directory: string;
  readonly #index: VolumeIndex;
  readonly #cache: BlockCache;
  readonly isAsOpened: () => boolean;

  /** @param isAsOpened whether the index lies there as it was opened */
  constructor(directory: string, index: VolumeIndex, cache: BlockCache, isAsOpened: () => boolean) {
    this.#directory = directory;
    this.#index = index;
    this.#cache = cache;
    this.isAsOpened = isAsOpened;
  }

  pieceOf(stream: string): ArchivedPiece | undefined {
    return this.#index.pieceOf(stream);
  }

  async *pieces(): AsyncGenerator<ArchivedPiece> {
    yield* this.#index.pieces();
  }

  async *readStream(
    stream: string,
    { first, last, direction }: { first: number; last: number; direction: ReadDirection },
  ): AsyncGenerator<RecordedEvent> {
    const piece = this.#index.pieceOf(stream);
    if (!piece) return;
    for (const block of this.#index.blocksOf(piece.id, first, last, direction)) {
      for (const event of await this.#events(block, direction)) {
        if (event.stream === stream && event.revision >= first && event.revision <= last) yield event;
      }
    }
  }

  async *readAll({
    from,
    direction,
  }: {
    from: Position;
    direction: ReadDirection;
  }): AsyncGenerator<RecordedEvent> {
    for (const block of this.#index.blocksFrom(from, direction)) {
      for (const event of await this.#events(block, direction)) {
        if (direction === 'forwards' ? event.position >= from : event.position <= from) yield event;
      }
    }
  }

  close(): void {
    this.#index.close();
  }

  async #events(block: Block, direction: ReadDirection): Promise<readonly RecordedEvent[]> {
    const key = `${this.#directory} ${block.id}`;
    const events = this.#cache.get(key) ?? (await this.#read(block));
    this.#cache.set(key, events);
    return direction === 'forwards' ? events : events.toReversed();
  }

  async #read(block: Block): Promise<readonly RecordedEvent[]> {
    const records = await decodeBlock(
      await readBlock(this.#directory, block),
      placeOf(this.#directory, block),
    );
    return records.flatMap((record) => (record.kind === 'event' ? [record.event] : []));
  }
}

/**
 * The bytes of a block.
 * @throws StoreError `archive_damaged` when the file is not there, or they are not those that were written
 */
export async function readBlock(directory: string, block: Omit<Block, 'id'>): Promise<Uint8Array> {
  const bytes = await bytesAt(directory, block);
  if (hash('sha256', bytes) === block.sha256) return bytes;
  throw new StoreError(
    'archive_damaged',
    `${placeOf(directory, block)} is damaged: it was altered or cut short.`,
    { volume: basename(directory) },
  );
}

/** @throws StoreError `archive_damaged` when the file is not there */
export async function bytesAt(
  directory: string,
  { segment, offset, bytes }: Pick<Block, 'segment' | 'offset' | 'bytes'>,
): Promise<Uint8Array> {
  const path = join(directory, segment);
  const buffer = new Uint8Array(bytes);
  try {
    const file = await open(path, 'r');
    try {
      let read = 0;
      while (read < bytes) {
        const { bytesRead } = await file.read(buffer, read, bytes - read, offset + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return buffer.subarray(0, read);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What the file system says of a file of a volume, in the words of a store. */
export function unreadable(path: string, error: unknown): StoreError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new StoreError('archive_damaged', `The archive is not whole: ${path} is missing.`, {
      cause: error,
      volume: basename(dirname(path)),
    });
  }
  return new StoreError('unavailable', `${path} cannot be read (${code ?? error}).`, { cause: error });
}

function placeOf(directory: string, { segment, offset }: Pick<Block, 'segment' | 'offset'>): string {
  return `${join(directory, segment)}, from byte ${offset} on,`;
}
