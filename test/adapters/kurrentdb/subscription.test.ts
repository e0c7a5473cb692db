/** A subscription that goes on when it was ended, and one that cannot. */
import { describe, expect, it } from 'vitest';
import { fillStream, mustAppend, newEvents, uniqueName } from '../../support/event-builders.ts';
import { seesExactly } from './orderly-follower.ts';
import { follow, startDoubleAndStore } from './with-double.ts';

describe('a subscription', () => {
  it.each(['connection', 'unavailable'] as const)(
    'that ends by %s in the middle of the backlog and again while live goes on by itself',
    async (how) => {
      const { double, store } = await startDoubleAndStore();
      const stream = uniqueName('ended');
      const before = newEvents(1_000);
      await fillStream(store, stream, before);
      double.faults.endSubscriptionAfter(333, how);
      const follower = follow(store, { streamPrefixes: [stream] });
      await follower.until('the backlog', () => follower.events.length >= before.length);
      double.faults.endSubscriptionAfter(1, how);
      const after = newEvents(3);
      await mustAppend(store, stream, after, before.length - 1);
      await seesExactly(follower, [...before, ...after]);
    },
  );

  it('of no prefixes gets nothing, and follows the log', async () => {
    const { store } = await startDoubleAndStore();
    const { position } = await mustAppend(store, uniqueName('any'), newEvents(2), 'no_stream');
    const follower = follow(store, { streamPrefixes: [] });
    await follower.until('the head', () => follower.hasReached(position));
    expect(follower.events).toEqual([]);
  });

  it('does not go on when the server says that its position is none', async () => {
    const { store } = await startDoubleAndStore();
    await mustAppend(store, uniqueName('some'), newEvents(2), 'no_stream');
    const { position } = await mustAppend(store, uniqueName('some'), newEvents(1), 'no_stream');
    await expect(follow(store, { after: position - 3n }).ended()).rejects.toMatchObject({
      name: 'StoreError',
      code: 'invalid_request',
    });
  });
});
