/** A segment directory in memory, whose files a test can spoil and whose disk it can fill up. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { SegmentDirectory, SegmentFile } from '../../src/event-sourcing/segments/segment-directory.ts';

export interface MemorySegment {
  readonly number: number;
  readonly sha256: string;
  readonly content: Uint8Array;
}

export class MemorySegments implements SegmentDirectory {
  readonly name = 'the directory';
  segments: MemorySegment[] = [];
  /** Called before each piece of a segment is kept, and with `whole` before the segment gets its name; may throw. */
  onWrite: ((number: number, step: 'piece' | 'whole') => void) | undefined;

  constructor(segments: readonly MemorySegment[] = []) {
    this.segments = [...segments];
  }

  async list(): Promise<SegmentFile[]> {
    return this.segments.map(fileOf).sort((a, b) => a.number - b.number);
  }

  async *read(file: SegmentFile): AsyncGenerator<Uint8Array> {
    const found = this.segments.find((segment) => fileOf(segment).name === file.name);
    if (!found) throw new Error(`${file.name} is not there`);
    // Several pieces, so that lines and compressed blocks are cut anywhere.
    for (let from = 0; from < found.content.length; from += 97) yield found.content.subarray(from, from + 97);
  }

  async write(number: number, bytes: AsyncIterable<Uint8Array>): Promise<SegmentFile> {
    const pieces: Uint8Array[] = [];
    for await (const piece of bytes) {
      this.onWrite?.(number, 'piece');
      pieces.push(piece);
    }
    this.onWrite?.(number, 'whole');
    const segment = named(number, Buffer.concat(pieces));
    this.segments.push(segment);
    return fileOf(segment);
  }

  /** The lines of a segment, parsed. */
  records(number: number): Record<string, unknown>[] {
    const { content } = this.#at(number);
    return gunzipSync(content)
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Puts other lines into a segment and names it as it must be named then, as a forger would. */
  rewrite(number: number, records: readonly unknown[]): void {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    this.replace(named(number, gzipSync(text)));
  }

  /** Puts a segment in the place of the one that has its number. */
  replace(segment: MemorySegment): void {
    this.segments = this.segments.map((one) => (one.number === segment.number ? segment : one));
  }

  #at(number: number): MemorySegment {
    const segment = this.segments.find((one) => one.number === number);
    if (!segment) throw new Error(`there is no segment ${number}`);
    return segment;
  }
}

function named(number: number, content: Uint8Array): MemorySegment {
  return { number, sha256: createHash('sha256').update(content).digest('hex'), content };
}

function fileOf({ number, sha256, content }: MemorySegment): SegmentFile {
  return { number, sha256, name: `segment-${number}-${sha256}`, bytes: content.length };
}
