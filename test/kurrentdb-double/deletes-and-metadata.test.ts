/** Soft deletes, tombstones, and what a stream's metadata hides. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ANY, BACKWARDS, END, NO_STREAM, STREAM_EXISTS } from '@eventstore/db-client';
import { expect, it } from 'vitest';
import { collect, event, events, numbers, rejectionOf, startWithClient } from './double-client.ts';

const NOT_FOUND = { type: 'stream-not-found' };

it('says of a stream that was never written, or deleted, that it is not found', async () => {
  const { client } = await startWithClient();
  expect(await rejectionOf(collect(client.readStream('a-1')))).toMatchObject(NOT_FOUND);
  await client.appendToStream('a-1', events(2));
  await client.deleteStream('a-1');
  expect(await rejectionOf(collect(client.readStream('a-1')))).toMatchObject(NOT_FOUND);
  expect(
    await rejectionOf(collect(client.readStream('a-1', { direction: BACKWARDS, fromRevision: END }))),
  ).toMatchObject(NOT_FOUND);
});

it('goes on with the revisions of a deleted stream, whatever it is expected to be', async () => {
  const { client } = await startWithClient();
  for (const [stream, expectedRevision] of [
    ['a-1', NO_STREAM],
    ['a-2', ANY],
    ['a-3', 1n],
  ] as const) {
    await client.appendToStream(stream, events(2));
    await client.deleteStream(stream);
    const { nextExpectedRevision } = await client.appendToStream(stream, event(7), { expectedRevision });
    expect(nextExpectedRevision).toBe(2n);
    expect(numbers(await collect(client.readStream(stream)))).toEqual([7]);
  }
});

it('does not take a deleted stream for one that exists', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', event(0));
  await client.deleteStream('a-1');
  const append = client.appendToStream('a-1', event(1), { expectedRevision: STREAM_EXISTS });
  expect(await rejectionOf(append)).toMatchObject({ type: 'stream-deleted' });
});

it('checks the expected revision of a delete, and refuses to delete what never was', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(2));
  expect(await rejectionOf(client.deleteStream('a-1', { expectedRevision: 0n }))).toMatchObject({
    type: 'wrong-expected-version',
    actualVersion: 1n,
  });
  expect(await rejectionOf(client.deleteStream('none-1'))).toMatchObject({ type: 'wrong-expected-version' });
  const { position } = await client.deleteStream('a-1', { expectedRevision: 1n });
  expect(position?.commit).toBeGreaterThan(0n);
});

it('never opens a stream with a tombstone again, nor its metadata', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', event(0));
  await client.tombstoneStream('a-1');
  const deleted = { type: 'stream-deleted' };
  expect(await rejectionOf(collect(client.readStream('a-1')))).toMatchObject(deleted);
  expect(await rejectionOf(client.deleteStream('a-1'))).toMatchObject(deleted);
  expect(await rejectionOf(client.setStreamMetadata('a-1', { maxCount: 1 }))).toMatchObject(deleted);
});

it('keeps the metadata in a stream of its own, of which it shows the newest event', async () => {
  const { client } = await startWithClient();
  await client.setStreamMetadata('a-1', { maxCount: 3, owner: 'me' });
  await client.setStreamMetadata('a-1', { maxCount: 2 });
  const [newest, ...others] = await collect(client.readStream('$$a-1'));
  expect(others).toEqual([]);
  expect(newest?.event).toMatchObject({ type: '$metadata', revision: 1n, data: { $maxCount: 2 } });
  expect((await client.getStreamMetadata('a-1')).metadata).toEqual({ maxCount: 2 });
});

it('hides all but the newest events, and those before a revision', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(5));
  await client.setStreamMetadata('a-1', { maxCount: 3 });
  expect(numbers(await collect(client.readStream('a-1')))).toEqual([2, 3, 4]);
  await client.setStreamMetadata('a-1', { truncateBefore: 4 });
  expect(numbers(await collect(client.readStream('a-1')))).toEqual([4]);
  expect(
    numbers(await collect(client.readStream('a-1', { direction: BACKWARDS, fromRevision: END }))),
  ).toEqual([4]);
  await client.setStreamMetadata('a-1', { truncateBefore: 5 });
  expect(await collect(client.readStream('a-1'))).toEqual([]);
});

it('hides what is too old, and then shows an empty stream, not a missing one', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', event(0));
  await client.setStreamMetadata('a-1', { maxAge: 1 });
  await sleep(1_100);
  expect(await collect(client.readStream('a-1'))).toEqual([]);
  await client.appendToStream('a-1', event(1), { expectedRevision: 0n });
  expect(numbers(await collect(client.readStream('a-1')))).toEqual([1]);
});

it('shows in $all what a stream hides, and how it was deleted', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(2));
  await client.deleteStream('a-1');
  await client.appendToStream('a-1', event(2));
  const all = await collect(client.readAll());
  expect(all.map(({ event: recorded }) => `${recorded?.revision}@${recorded?.streamId}`)).toEqual([
    '0@a-1',
    '1@a-1',
    '0@$$a-1',
    '2@a-1',
    '1@$$a-1',
  ]);
  expect(all[4]?.event?.data).toEqual({ $tb: 2 });
});

it('brings a deleted stream back when its metadata is set', async () => {
  const { client } = await startWithClient();
  await client.appendToStream('a-1', events(2));
  await client.deleteStream('a-1');
  await client.setStreamMetadata('a-1', { maxCount: 9 });
  expect((await client.getStreamMetadata('a-1')).metadata).toEqual({ maxCount: 9, truncateBefore: 2 });
  expect(await collect(client.readStream('a-1'))).toEqual([]);
});
