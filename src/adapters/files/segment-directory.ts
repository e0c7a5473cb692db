/** Segments as files of a directory: each written under another name, synced, and only then given its own. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SegmentDirectory, SegmentFile } from '../../event-sourcing/segments/segment-directory.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { lockForThisProcess } from '../sqlite/database.ts';
import { makeDirectory } from './make-directory.ts';

/** `segment-00000012-<SHA-256>.ndjson.gz` */
const SEGMENT_NAME = /^segment-(\d{8})-([0-9a-f]{64})\.ndjson\.gz$/;
/** What an interrupted write leaves behind; it is never read. */
const PARTIAL_NAME = /^segment-\d{8}\.partial$/;
/** Held while an export writes; gone when the export is finished. */
const LOCK = 'export';
const LOCK_NAMES: readonly string[] = [`${LOCK}.lock`, `${LOCK}.lock-journal`];
const READ_BYTES = 256 * 1024;

const NO_ROOM: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** A directory that this process alone writes to. */
export interface LockedSegmentDirectory extends SegmentDirectory {
  /** @param finished whether no other process will go on with this export: then its lock file goes too */
  close(finished: boolean): Promise<void>;
}

/**
 * Opens a directory for an export, creating it when missing, and removes what an interrupted export left half-written.
 * @throws StoreError `invalid_request` when it holds other files, `in_use` when another process exports into it,
 *   `unavailable` when it cannot be used
 */
export async function openForExport(path: string): Promise<LockedSegmentDirectory> {
  const directory = new FileSegmentDirectory(resolve(path));
  await directory.refuseForeign();
  const lock = join(directory.name, LOCK);
  const unlock = lockForThisProcess({ kind: 'file', path: lock });
  try {
    await directory.removePartials();
  } catch (error) {
    unlock();
    throw error;
  }
  const close = async (finished: boolean) => {
    if (finished)
      await Promise.all(LOCK_NAMES.map((name) => rm(join(directory.name, name), { force: true })));
    unlock();
  };
  return Object.assign(directory, { close });
}

/**
 * Opens a directory that holds an export, for reading.
 * @throws StoreError `invalid_request` when it holds none, `unavailable` when it cannot be read
 */
export async function openForImport(path: string): Promise<SegmentDirectory> {
  const directory = new FileSegmentDirectory(resolve(path));
  if ((await directory.list()).length > 0) return directory;
  throw new StoreError('invalid_request', `${directory.name} holds no export: there is no segment in it.`);
}

/** A directory as it is, for reading. */
export function segmentsIn(path: string): SegmentDirectory {
  return new FileSegmentDirectory(resolve(path));
}

class FileSegmentDirectory implements SegmentDirectory {
  /** Its absolute path. */
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async list(): Promise<SegmentFile[]> {
    return this.#translated(async () => {
      const files: SegmentFile[] = [];
      for (const name of await readdir(this.name)) {
        const [, number, sha256] = SEGMENT_NAME.exec(name) ?? [];
        if (number === undefined || sha256 === undefined) continue;
        const { size: bytes } = await stat(join(this.name, name));
        files.push({ number: Number(number), sha256, name, bytes });
      }
      return files.sort((a, b) => a.number - b.number);
    });
  }

  async *read({ name }: SegmentFile): AsyncGenerator<Uint8Array> {
    const stream = createReadStream(join(this.name, name), { highWaterMark: READ_BYTES });
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
    } catch (error) {
      throw this.#toStoreError(error);
    }
  }

  async write(number: number, bytes: AsyncIterable<Uint8Array>): Promise<SegmentFile> {
    const digits = String(number).padStart(8, '0');
    const partial = join(this.name, `segment-${digits}.partial`);
    try {
      const written = await this.#writeDurably(partial, bytes);
      const name = `segment-${digits}-${written.sha256}.ndjson.gz`;
      await this.#translated(async () => {
        await rename(partial, join(this.name, name));
        await syncDirectory(this.name);
      });
      return { number, name, ...written };
    } catch (error) {
      // On a full disk this is what makes room again.
      await rm(partial, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** @throws StoreError `invalid_request` when something lies here, but no export */
  async refuseForeign(): Promise<void> {
    makeOwnDirectory(this.name);
    const names = await this.#translated(() => readdir(this.name));
    const isOwn = (name: string) =>
      SEGMENT_NAME.test(name) || PARTIAL_NAME.test(name) || LOCK_NAMES.includes(name);
    const foreign = names.find((name) => !isOwn(name));
    // A note that someone put beside the segments does no harm.
    if (foreign === undefined || names.some(isOwn)) return;
    const detail = `it holds '${foreign}', which is not of an export`;
    throw new StoreError('invalid_request', `${this.name} cannot take an export: ${detail}.`);
  }

  async removePartials(): Promise<void> {
    await this.#translated(async () => {
      for (const name of await readdir(this.name)) {
        if (PARTIAL_NAME.test(name)) await rm(join(this.name, name), { force: true });
      }
    });
  }

  async #writeDurably(path: string, bytes: AsyncIterable<Uint8Array>) {
    const hash = createHash('sha256');
    let size = 0;
    const file = await this.#translated(() => open(path, 'wx', 0o600));
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.length;
        await this.#translated(() => writeAll(file, chunk));
      }
      await this.#translated(() => file.sync());
    } finally {
      await this.#translated(() => file.close());
    }
    return { sha256: hash.digest('hex'), bytes: size };
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#toStoreError(error);
    }
  }

  #toStoreError(error: unknown): StoreError {
    return directoryError(this.name, error);
  }
}

/**
 * Makes a directory for its owner only, because events hold personal data.
 * @throws StoreError `unavailable` when it cannot be made, `disk_full`
 */
export function makeOwnDirectory(name: string): void {
  try {
    makeDirectory(name, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (NO_ROOM.includes(code)) throw directoryError(name, error);
    throw new StoreError('unavailable', `${name} cannot be made (${code ?? error}).`, { cause: error });
  }
}

/** What the file system throws, in the words of the ports. */
export function directoryError(name: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (NO_ROOM.includes(code)) {
    return new StoreError('disk_full', `${name} has no room for the next segment (${code}).`, {
      cause: error,
    });
  }
  const words = code === 'ENOENT' ? 'does not exist' : 'cannot be used';
  return new StoreError('unavailable', `${name} ${words} (${code ?? error}).`, { cause: error });
}

export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}

/** Without it, a power cut could take the new name away again. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
