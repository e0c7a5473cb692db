/**
 * Segments of which a part can be read alone: their gzip is cut into members, one for each block of lines, which RFC 1952
 * allows, so that every other reader still sees one file.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { StoreError } from '../store-error.ts';
import { parseLine, type SegmentRecord } from './segment.ts';

const GZIP_LEVEL = 6;
/** Lines and characters of a block: so much is decompressed to read a single event. */
const BLOCK_LINES = 128;
const BLOCK_LENGTH = 256 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** @param onBlock hears of each block in its order, with its size in bytes */
export async function* compressBlocks(
  lines: AsyncIterable<string>,
  onBlock: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let block = '';
  let count = 0;
  const flush = async () => {
    const bytes = await compress(block, { level: GZIP_LEVEL });
    onBlock(bytes.length);
    block = '';
    count = 0;
    return bytes;
  };
  for await (const line of lines) {
    block += line;
    count += 1;
    if (count >= BLOCK_LINES || block.length >= BLOCK_LENGTH) yield await flush();
  }
  if (block !== '') yield await flush();
}

/**
 * The records of one block.
 * @param place file and offset, for messages
 * @throws StoreError `corrupt` or `unsupported`
 */
export async function decodeBlock(bytes: Uint8Array, place: string): Promise<SegmentRecord[]> {
  let text: string;
  try {
    text = (await decompress(bytes)).toString('utf8');
  } catch (cause) {
    throw new StoreError('corrupt', `${place} cannot be decompressed.`, { cause });
  }
  if (!text.endsWith('\n')) throw new StoreError('corrupt', `${place} ends in the middle of a line.`);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => parseLine(line, place));
}
