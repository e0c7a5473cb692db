/** Segments as streams of bytes: lines compressed on their way out, checked and split on their way in, in constant memory. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { StoreError } from '../store-error.ts';
import { LINE_LENGTH_MAX, parseLine, type SegmentRecord } from './segment.ts';

/** Level 6 takes half as long again for files that are 6 % smaller. */
const GZIP_LEVEL = 1;
/** Lines are handed to the compressor in pieces of about so many characters. */
const PIECE_LENGTH = 64 * 1024;
/** What comes out of zlib at once; its default of 16 KiB costs more turns of the event loop than work. */
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Compresses lines, each with its newline. */
export async function* compressLines(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  yield* through(inPieces(lines), createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES }));
}

/** SHA-256 of bytes, in hex. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Reads the records of a segment, one after the other.
 * @param name of the file, for messages
 * @throws StoreError `corrupt`, naming file and line, at the first byte that is not as a segment should be.
 */
export async function* decodeSegment(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<SegmentRecord> {
  let number = 0;
  for await (const line of gunzipLines(bytes, name)) {
    number += 1;
    yield parseLine(line, `${name}, line ${number}`);
  }
}

/**
 * Decompresses text, one line after the other, without its newline.
 * @param name of the file, for messages
 * @throws StoreError `corrupt` when it cannot be decompressed or ends within a line
 */
export function gunzipLines(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  return splitLines(decompressed(bytes, name), name);
}

async function* decompressed(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* through(bytes, createGunzip({ chunkSize: CHUNK_BYTES }));
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    throw new StoreError('corrupt', `${name} cannot be decompressed (${cause}).`, { cause: error });
  }
}

/** Pulls everything through a transform; an error of the source or of the transform is thrown here. */
async function* through(
  source: AsyncIterable<Uint8Array | string>,
  transform: ReturnType<typeof createGzip | typeof createGunzip>,
): AsyncGenerator<Uint8Array> {
  const done = pipeline(Readable.from(source), transform);
  // It reaches us through the loop below; when the consumer leaves early, nobody waits for it.
  done.catch(() => undefined);
  for await (const chunk of transform) yield chunk as Uint8Array;
  await done;
}

async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

async function* splitLines(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  /** The beginning of a line whose end has not come yet. */
  let open: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      open.push(chunk.subarray(from, to));
      yield textOf(open);
      open = [];
      length = 0;
      from = to + 1;
    }
    if (from < chunk.length) open.push(chunk.subarray(from));
    length += chunk.length - from;
    // A character takes up to three bytes.
    if (length > LINE_LENGTH_MAX * 3) throw new StoreError('corrupt', `${name} has a line without an end.`);
  }
  if (open.length > 0) throw new StoreError('corrupt', `${name} ends in the middle of a line.`);
}

function textOf(pieces: readonly Uint8Array[]): string {
  const [first] = pieces;
  const bytes =
    pieces.length === 1 && first
      ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
      : Buffer.concat(pieces);
  return bytes.toString('utf8');
}
