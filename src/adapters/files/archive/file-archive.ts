/** The archive as a directory: one directory a volume, which holds segments as an export does, and their index. */
import { createHash, hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LRUCache } from 'lru-cache';
import type {
  ArchiveStorage,
  ArchiveVolume,
  ArchiveWriter,
  VolumeRecord,
} from '../../../event-sourcing/archive/archive-storage.ts';
import type { Position, RecordedEvent } from '../../../event-sourcing/event-store.ts';
import { ExportChain } from '../../../event-sourcing/segments/export-chain.ts';
import { checkExport } from '../../../event-sourcing/segments/import-log.ts';
import { compressBlocks, decodeBlock } from '../../../event-sourcing/segments/segment-blocks.ts';
import type { SegmentFile } from '../../../event-sourcing/segments/segment-directory.ts';
import { type Exported, writeSegments } from '../../../event-sourcing/segments/segment-writer.ts';
import { StoreError } from '../../../event-sourcing/store-error.ts';
import { lockForThisProcess } from '../../sqlite/database.ts';
import { makeDirectory } from '../make-directory.ts';
import { openForExport, openForImport } from '../segment-directory.ts';
import { type BlockCache, bytesAt, FileVolume, unreadable } from './file-volume.ts';
import { VolumeIndex, VolumeIndexWriter } from './volume-index.ts';

const INDEX = 'index.db';
/** Held while somebody writes; it stays when they are done. */
const LOCK = 'archive';
/** What an interrupted run left behind; a whole volume is called `00000012-<8 hex digits>`. */
const PARTIAL_VOLUME = /^\d{8}-[0-9a-f]{8}\.partial$/;

/** Events of blocks that are kept in memory, of all volumes together. */
const CACHED_EVENTS_MAX = 16_384;
/** An export has 50,000; here an interruption may cost less. */
const SEGMENT_EVENTS = 20_000;

/** @param directory is made when the first volume is written */
export function fileArchive(directory: string): ArchiveStorage {
  return new FileArchive(resolve(directory));
}

class FileArchive implements ArchiveStorage {
  readonly name: string;
  readonly #cache: BlockCache = new LRUCache({
    maxSize: CACHED_EVENTS_MAX,
    sizeCalculation: (events: readonly RecordedEvent[]) => Math.max(1, events.length),
  });

  constructor(name: string) {
    this.name = name;
  }

  async open(record: VolumeRecord): Promise<ArchiveVolume> {
    const directory = join(this.name, record.volume);
    const index = join(directory, INDEX);
    // Before it is read: what changes meanwhile is noticed.
    const state = fileState(index);
    await refuseOtherIndex(directory, record);
    const isAsOpened = () => fileState(index) === state;
    return new FileVolume(directory, new VolumeIndex(index), this.#cache, isAsOpened);
  }

  async openForWriting(): Promise<ArchiveWriter> {
    try {
      // Owner only: the events hold personal data.
      const created = makeDirectory(this.name, 0o700);
      if (created !== undefined) await syncNames(created, this.name);
    } catch (error) {
      throw unusable(this.name, error);
    }
    const unlock = lockForThisProcess({ kind: 'file', path: join(this.name, LOCK) });
    try {
      for (const name of await readdir(this.name)) {
        if (PARTIAL_VOLUME.test(name)) await this.#remove(name);
      }
      return new FileArchiveWriter(this.name, unlock);
    } catch (error) {
      unlock();
      throw unusable(this.name, error);
    }
  }

  async check(record: VolumeRecord): Promise<void> {
    const directory = join(this.name, record.volume);
    await refuseOtherIndex(directory, record);
    const { events, digest } = await totalsOf(directory);
    if (events === record.events && digest === record.digest) return;
    throw damaged(record.volume, `${directory} holds other events than were archived.`);
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.name, name), { recursive: true, force: true });
  }
}

/** @throws StoreError `archive_damaged` when the index is missing, or not the one that was recorded */
async function refuseOtherIndex(directory: string, record: VolumeRecord): Promise<void> {
  const path = join(directory, INDEX);
  if ((await fileHash(path)) === record.index_sha256) return;
  throw damaged(record.volume, `${path} is damaged: it is not the index that was written.`);
}

function damaged(volume: string, message: string, cause?: unknown): StoreError {
  return new StoreError('archive_damaged', message, { volume, cause });
}

/** What the segments of a volume hold. @throws StoreError `archive_damaged` when they are not whole */
async function totalsOf(directory: string) {
  try {
    return (await checkExport(await openForImport(directory))).totals();
  } catch (error) {
    if (!(error instanceof StoreError) || error.temporary) throw error;
    throw damaged(basename(directory), `${directory} is not whole: ${error.message}`, error);
  }
}

/** A block that was written, before it is read back. */
interface WrittenBlock {
  readonly number: number;
  readonly bytes: number;
}

class FileArchiveWriter implements ArchiveWriter {
  readonly #root: string;
  readonly #unlock: () => void;

  constructor(root: string, unlock: () => void) {
    this.#root = root;
    this.#unlock = unlock;
  }

  async write(volume: string, storeId: string, events: AsyncGenerator<Exported>): Promise<VolumeRecord> {
    const partial = join(this.#root, `${volume}.partial`);
    try {
      const written = await this.#writeFiles(partial, storeId, events);
      await translated(this.#root, async () => {
        await rename(partial, join(this.#root, volume));
        await syncFile(this.#root);
      });
      return { volume, created_at: new Date().toISOString(), ...written };
    } catch (error) {
      // On a full disk this is what makes room again.
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async discard(volume: string): Promise<void> {
    await translated(this.#root, () => rm(join(this.#root, volume), { recursive: true, force: true }));
  }

  async close(): Promise<void> {
    this.#unlock();
  }

  async #writeFiles(partial: string, storeId: string, events: AsyncGenerator<Exported>) {
    const directory = await openForExport(partial);
    const blocks: WrittenBlock[] = [];
    const chain = new ExportChain();
    try {
      await writeSegments(
        {
          storeId,
          directory,
          now: () => new Date(),
          segmentEvents: SEGMENT_EVENTS,
          compress: (lines, number) => compressBlocks(lines, (bytes) => blocks.push({ number, bytes })),
        },
        chain,
        events,
      );
    } finally {
      await directory.close(true);
    }
    const indexed = await writeIndex(partial, await directory.list(), blocks);
    await syncFile(partial);
    const { segments, digest, bytes } = chain.totals();
    return { segments, digest, ...indexed, bytes: bytes + indexed.bytes };
  }
}

/** Makes the index of what lies on the disk, not of what was meant to be written. */
async function writeIndex(directory: string, files: readonly SegmentFile[], blocks: readonly WrittenBlock[]) {
  const path = join(directory, INDEX);
  const index = new VolumeIndexWriter(path);
  const offsets = new Map<number, number>();
  let events = 0;
  let first: Position | undefined;
  let last: Position | undefined;
  try {
    const names = new Map(files.map(({ number, name }) => [number, name]));
    for (const { number, bytes } of blocks) {
      const offset = offsets.get(number) ?? 0;
      offsets.set(number, offset + bytes);
      const place = { segment: names.get(number) ?? '', offset, bytes };
      const content = await bytesAt(directory, place);
      const records = await decodeBlock(content, join(directory, place.segment));
      const held = records.flatMap((record) => (record.kind === 'event' ? [record.event] : []));
      index.add({ ...place, sha256: hash('sha256', content) }, held);
      events += held.length;
      first ??= held[0]?.position;
      last = held.at(-1)?.position ?? last;
    }
    const streams = index.finish();
    await translated(directory, () => syncFile(path));
    const { size: bytes } = await stat(path);
    return {
      events,
      streams,
      bytes,
      first_position: String(first ?? 0n),
      last_position: String(last ?? 0n),
      index_sha256: await fileHash(path),
    };
  } finally {
    index.abandon();
  }
}

/** Which file it is, its length, and when it was written last; undefined where it cannot be looked at. */
function fileState(path: string): string | undefined {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a file, in hex. @throws StoreError `archive_damaged` when it is missing */
async function fileHash(path: string): Promise<string> {
  const sum = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) sum.update(chunk as Uint8Array);
  } catch (error) {
    throw unreadable(path, error);
  }
  return sum.digest('hex');
}

/** Of a file or of a directory's names. */
async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Of new directories, one in the other: a power cut could take the names away, with all that was moved there. */
async function syncNames(outermost: string, innermost: string): Promise<void> {
  for (let path = innermost; path.length >= outermost.length; path = dirname(path))
    await syncFile(dirname(path));
}

async function translated<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unusable(name, error);
  }
}

const NO_ROOM: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

function unusable(name: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (NO_ROOM.includes(code)) {
    return new StoreError('disk_full', `${name} has no room for the archive (${code}).`, { cause: error });
  }
  return new StoreError('unavailable', `${name} cannot be used (${code ?? error}).`, { cause: error });
}
