/** What was altered on its way, on purpose or by accident, is refused with a sentence that names the file. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSegment } from '../../../src/event-sourcing/segments/segment-stream.ts';
import { collect } from '../../support/event-builders.ts';
import { MemorySegments } from '../../support/memory-segments.ts';
import { WatchedEventStore } from '../../support/watched-event-store.ts';
import { emptyStore, exportOf, imported, smallStore } from './moving.ts';

type Records = Record<string, unknown>[];

let whole: MemorySegments;
beforeAll(async () => {
  whole = await exportOf(await smallStore());
});

function swap(records: Records, a: number, b: number): Records {
  return records.with(a, records[b] as never).with(b, records[a] as never);
}

function change(records: Records, index: number, fields: object): Records {
  return records.with(index, { ...records.at(index), ...fields });
}

/** Segment, what a forger does to its records, and the words that say so. Segment 3 is: header, 2 events, end, footer. */
const FORGERIES: readonly (readonly [string, number, (records: Records) => unknown[], RegExp])[] = [
  ['an event is missing', 3, (r) => r.toSpliced(2, 1), /the totals of the export are not those/i],
  ['the first event is missing', 3, (r) => r.toSpliced(1, 1), /first event is missing|belongs/],
  ['an event is there twice', 3, (r) => r.toSpliced(2, 0, r[1] as never), /stands where revision \d belongs/],
  ['two events changed places', 1, (r) => swap(r, 1, 2), /first event is missing|follows position/],
  ['two events of a stream changed places', 1, (r) => swap(r, 1, 4), /stands where revision 0 belongs/],
  ['an amount was changed', 3, (r) => change(r, 1, { data: { number: 9 } }), /totals .* not those/],
  ['a time was changed', 3, (r) => change(r, 1, { metadata: {} }), /totals .* not those/],
  [
    'an event was put into another stream',
    3,
    (r) => change(r, 1, { stream: 'person-2' }),
    /revision 0 belongs/,
  ],
  ['the footer is missing', 3, (r) => r.slice(0, -1), /cut short: its last record is missing/],
  ['the header is missing', 1, (r) => r.slice(1), /stands outside of a segment/],
  ['there is a second header', 1, (r) => [r[0], ...r], /header stands in the middle/],
  ['something follows the footer', 3, (r) => [...r, r[1]], /stands outside of a segment/],
  ['something follows the end', 3, (r) => r.toSpliced(4, 0, r[1] as never), /stands outside of a segment/],
  ['the end comes too early', 1, (r) => r.toSpliced(3, 0, { ...whole.records(3)[3] }), /totals .* not those/],
  ['the end says other totals', 3, (r) => change(r, 3, { events: 13 }), /totals .* not those/],
  ['the footer counts otherwise', 3, (r) => change(r, 4, { events: 3 }), /counts other events than it has/],
  [
    'it is of another store',
    2,
    (r) => change(r, 0, { store_id: 'other' }),
    /of another store, other instead of/,
  ],
  ['it has another number', 2, (r) => change(r, 0, { number: 3 }), /segment 3, where segment 2 belongs/],
  ['it was written anew', 2, (r) => r, /does not continue the segment before it/],
  ['it continues another segment', 2, (r) => change(r, 0, { previous: 'a'.repeat(64) }), /does not continue/],
  ['it begins a chain', 2, (r) => change(r, 0, { previous: undefined }), /does not continue/],
  ['a stream begins twice', 1, (r) => r.toSpliced(2, 0, streamRecord('person-1')), /begins a second time/],
  [
    'a newer program wrote it',
    1,
    (r) => change(r, 0, { version: 2 }),
    /line 1: .* format 2, .* reads format 1/,
  ],
  [
    'another program wrote it',
    1,
    (r) => change(r, 0, { format: 'tar' }),
    /line 1: not a segment of an OpenBank/,
  ],
  [
    'a record is of no known kind',
    1,
    (r) => change(r, 2, { kind: 'note' }),
    /line 3: not a record of a segment/,
  ],
  ['a field is missing', 1, (r) => change(r, 2, { id: undefined }), /line 3: .*\(id: /],
  ['a line is no JSON object', 1, (r) => r.with(1, 7 as never), /line 2: not a record/],
];

function streamRecord(stream: string) {
  return { kind: 'stream', stream, first_revision: 0, stream_metadata: {} };
}

describe('a forged segment, with the checksum that its new content has', () => {
  it.each(FORGERIES)('is refused when %s', async (_, number, forge, words) => {
    const forged = new MemorySegments(whole.segments);
    forged.rewrite(number, forge(forged.records(number)));
    const target = new WatchedEventStore(emptyStore());
    const outcome = imported(forged, target);
    // A segment that passes for itself is found out by the next one.
    const named = `segment-(${number}|${number + 1})-`;
    await expect(outcome).rejects.toMatchObject({
      code: expect.stringMatching(/^(corrupt|unsupported)$/),
      message: expect.stringMatching(new RegExp(`^${named}`)),
    });
    await expect(outcome).rejects.toThrow(words);
    expect(target.appends).toEqual([]);
  });

  it('keeps the chain in mind: a changed event in an early segment shows in the next one', async () => {
    const forged = new MemorySegments(whole.segments);
    forged.rewrite(1, change(forged.records(1), 2, { data: { number: 9 } }));
    await expect(imported(forged, emptyStore())).rejects.toThrow(/^segment-2-.* does not continue/);
  });
});

describe('the bytes of a segment', () => {
  const decode = (...pieces: Uint8Array[]) => collect(decodeSegment(inPieces(pieces), 'segment-7'));

  it('that are not compressed are refused', async () => {
    await expect(decode(Buffer.from('{"kind":"header"}\n'))).rejects.toThrow(
      /^segment-7 cannot be decompressed \(/,
    );
  });

  it('that end early are refused', async () => {
    const bytes = gzipSync(`${JSON.stringify(whole.records(1)[0])}\n`);
    await expect(decode(bytes.subarray(0, -9))).rejects.toThrow(/^segment-7 cannot be decompressed \(/);
    await expect(decode(gzipSync('{"kind":"header"'))).rejects.toThrow(/ends in the middle of a line\.$/);
  });

  it('that never end a line are refused before they fill the memory', async () => {
    const endless = gzipSync(Buffer.alloc(110 * 1024 * 1024, 'x'), { level: 1 });
    await expect(decode(endless)).rejects.toThrow(/^segment-7 has a line without an end\.$/);
  });

  it('may be cut into pieces anywhere, also within a character', async () => {
    const header = { ...whole.records(1)[0], store_id: 'Zürich €𝄞' };
    const bytes = gzipSync(`${JSON.stringify(header)}\n`, { level: 0 });
    const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(await decode(...single)).toMatchObject([{ kind: 'header', store_id: 'Zürich €𝄞' }]);
  });
});

async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
