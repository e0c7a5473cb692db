/** A subscription that is dead without a word: it takes several looks into the log to be sure of that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { idsOf, mustAppend, newEvents, uniqueName } from '../../support/event-builders.ts';
import { follow, startDoubleAndStore } from './with-double.ts';

it('a subscription that the server has forgotten is opened again', async () => {
  const { double, store } = await startDoubleAndStore();
  const stream = uniqueName('forgotten');
  const follower = follow(store, { streamPrefixes: [stream] });
  await follower.until('caught up', () => follower.hasCaughtUp);
  // Opens the call that takes appends, which asks first whose log it is.
  await mustAppend(store, uniqueName('opened'), newEvents(1), 'no_stream');
  // The next event is held back for longer than anybody waits here, those of other calls are not.
  double.faults.delayEvents(60_000);
  const events = newEvents(2);
  await mustAppend(store, stream, events, 'no_stream');
  await sleep(50);
  double.faults.delayEvents(0);
  await follower.until('2 events', () => follower.events.length >= 2);
  expect(idsOf(follower.events)).toEqual(idsOf(events));
});
