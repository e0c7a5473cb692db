/** Reads the end of a log, across rotation, without ever holding more than a chunk of it in memory. */
import { createReadStream, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
const POLL_MS = 200;

/** A part of a file: from `start` up to `end`, exclusive. */
export interface FilePart {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Finds the last `lines` lines of a log, going on in the rotated files (`.1`, `.2`, …) when it has fewer. */
export async function tailParts(path: string, lines: number): Promise<readonly FilePart[]> {
  const parts: FilePart[] = [];
  let missing = lines;
  for (let number = 0; missing > 0; number += 1) {
    const found = await tailOfFile(number === 0 ? path : `${path}.${number}`, missing);
    // The newest file may be missing for an instant, while it is rotated.
    if (!found && number > 0) break;
    if (!found) continue;
    parts.unshift(found.part);
    missing -= found.lines;
  }
  return parts;
}

async function tailOfFile(
  path: string,
  lines: number,
): Promise<{ part: FilePart; lines: number } | undefined> {
  const file = await openIfExists(path);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const { start, found } = await scanBackwards(file, size, lines);
    return { part: { path, start, end: size }, lines: found };
  } finally {
    await file.close();
  }
}

/** A last line that is not ended yet counts as a line. */
async function scanBackwards(file: FileHandle, size: number, lines: number) {
  const buffer = Buffer.alloc(CHUNK);
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      if (buffer[index] !== NEWLINE || start + index === size - 1) continue;
      found += 1;
      if (found === lines) return { start: start + index + 1, found };
    }
    end = start;
  }
  return { start: 0, found: size > 0 ? found + 1 : 0 };
}

/** The bytes of some parts, one chunk after the other. */
export async function* readParts(parts: readonly FilePart[]): AsyncGenerator<Buffer> {
  for (const { path, start, end } of parts) {
    if (end > start) yield* createReadStream(path, { start, end: end - 1, highWaterMark: CHUNK });
  }
}

/**
 * Everything that is written to a log from `position` on, until the signal. When the path names another file than
 * before, or a shorter one, the old file is read to its end and the new one from its start.
 */
export async function* follow(path: string, position: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  let file = await openIfExists(path);
  let offset = position;
  try {
    while (!signal.aborted) {
      const replaced = file ? await isReplaced(file, path, offset) : true;
      if (file) offset = yield* readOn(file, offset);
      if (replaced) {
        await file?.close();
        file = await openIfExists(path);
        if (file) offset = 0;
      }
      if (!replaced || !file) await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await file?.close();
  }
}

async function* readOn(file: FileHandle, from: number): AsyncGenerator<Buffer, number> {
  let offset = from;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, offset);
    if (bytesRead === 0) return offset;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function isReplaced(file: FileHandle, path: string, offset: number): Promise<boolean> {
  const [mine, current] = [await file.stat(), statSync(path, { throwIfNoEntry: false })];
  // While the path names nothing, a new file is on its way.
  if (!current) return false;
  return current.ino !== mine.ino || current.dev !== mine.dev || current.size < offset;
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
