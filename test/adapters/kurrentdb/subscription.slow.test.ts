/** A subscription through every trouble that a server or the way to it can make: each event once, in order, for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fillStream, idsOf, mustAppend, newEvents, uniqueName } from '../../support/event-builders.ts';
import { startKurrentDbDouble } from '../../support/kurrentdb-double/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { isOrderly, seesExactly } from './orderly-follower.ts';
import { follow, openStore, startDoubleAndStore } from './with-double.ts';

describe('a subscription', () => {
  it('survives broken connections while eight writers append', async () => {
    const { double, store } = await startDoubleAndStore();
    const prefix = uniqueName('storm');
    const follower = follow(store, { streamPrefixes: [prefix] });
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const events = newEvents(25);
      for (const [index, event] of events.entries()) {
        await mustAppend(store, `${prefix}-${writer}`, [event], index === 0 ? 'no_stream' : index - 1);
        if (writer === 0 && index % 6 === 5) double.faults.dropConnections();
      }
      return events;
    });
    const written = await Promise.all(writers);
    await follower.until('200 events', () => follower.events.length >= 200);
    for (const [writer, events] of written.entries()) {
      const own = follower.events.filter((event) => event.stream === `${prefix}-${writer}`);
      expect(idsOf(own)).toEqual(idsOf(events));
    }
    await isOrderly(follower);
  });

  it('goes on after the server was restarted', async () => {
    const directory = temporaryDirectory();
    const stateFile = directory.file('log');
    const first = await startKurrentDbDouble({ stateFile });
    const store = await openStore(first);
    try {
      const stream = uniqueName('restarted');
      const before = newEvents(5);
      await mustAppend(store, stream, before, 'no_stream');
      const follower = follow(store, { streamPrefixes: [stream] });
      await follower.until('5 events', () => follower.events.length === 5);
      await first.close();
      const after = newEvents(5);
      const appending = mustAppend(store, stream, after, 4);
      await sleep(200);
      const second = await startKurrentDbDouble({ stateFile, port: first.port });
      await appending;
      await seesExactly(follower, [...before, ...after]);
      await store.close();
      await second.close();
    } finally {
      directory.remove();
    }
  });

  it('goes on after the server was not ready for a while', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('unready');
    const before = newEvents(5);
    await mustAppend(store, stream, before, 'no_stream');
    double.faults.beUnavailableFor(400);
    const follower = follow(store, { streamPrefixes: [stream] });
    await seesExactly(follower, before);
  });

  it('that falls behind on the server gives every event once', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('behind');
    const follower = follow(store, { streamPrefixes: [stream] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    const events = newEvents(30);
    for (const [index, event] of events.entries()) {
      await mustAppend(store, stream, [event], index === 0 ? 'no_stream' : index - 1);
      if (index % 7 === 3) double.faults.fallBehind();
    }
    await seesExactly(follower, events);
  });

  it('of a slow server gives every event once', async () => {
    const { double, store } = await startDoubleAndStore();
    const stream = uniqueName('slow');
    const events = newEvents(40);
    await fillStream(store, stream, events);
    double.faults.delayEvents(20);
    await seesExactly(follow(store, { streamPrefixes: [stream] }), events);
  });

  it('says that it has caught up on a server that never says so', async () => {
    const { store } = await startDoubleAndStore({ version: '22.10.4' });
    const stream = uniqueName('old');
    const events = newEvents(3);
    await mustAppend(store, stream, events, 'no_stream');
    const follower = follow(store, { streamPrefixes: [stream] });
    await follower.until('caught up', () => follower.hasCaughtUp);
    const until = follower.batches.findIndex((batch) => batch.caughtUp);
    expect(idsOf(follower.batches.slice(0, until + 1).flatMap((batch) => batch.events))).toEqual(
      idsOf(events),
    );
  });

  it.each([false, true])(
    'can be resumed from every position that it ever named (checkpoints at unread events: %s)',
    async (checkpointsAtUnreadEvents) => {
      const { store } = await startDoubleAndStore({ checkpointsAtUnreadEvents, systemProjections: true });
      const prefix = uniqueName('wanted');
      const events = newEvents(6);
      const whole = follow(store, { streamPrefixes: [prefix] });
      for (const [index, event] of events.entries()) {
        await fillStream(store, uniqueName('noise'), newEvents(150 + 41 * index));
        await mustAppend(store, `${prefix}-${index}`, [event], 'no_stream');
      }
      const last = await fillStream(store, uniqueName('noise'), newEvents(300));
      await whole.until('the end', () => whole.hasReached(last.position));
      await seesExactly(whole, events);
      const late = follow(store, { streamPrefixes: [prefix] });
      await late.until('the end', () => late.hasReached(last.position));
      let given = 0;
      for (const batch of [...whole.batches, { events: [], position: 0n }, ...late.batches]) {
        if (batch.position === 0n) given = 0;
        given += batch.events.length;
        const rest = follow(store, { streamPrefixes: [prefix], after: batch.position });
        await rest.until('caught up', () => rest.hasCaughtUp);
        expect(idsOf(rest.events)).toEqual(idsOf(events.slice(given)));
        await rest.stop();
      }
    },
  );

  it.each([false, true])(
    'can be resumed from where it stood when the log ended with a page (checkpoints at unread events: %s)',
    async (checkpointsAtUnreadEvents) => {
      const { double, store } = await startDoubleAndStore({ checkpointsAtUnreadEvents });
      const stream = uniqueName('next-page');
      // The server looks through so many records at a time; a checkpoint may lie where the next one will begin.
      const WINDOW = 256;
      const { records } = double.store.log;
      await fillStream(store, uniqueName('noise'), newEvents(2 * WINDOW - records.length));
      expect(records).toHaveLength(2 * WINDOW);
      const early = follow(store, { streamPrefixes: [stream] });
      await early.until('the end', () => early.hasCaughtUp);
      await early.stop();
      const { position: first } = await mustAppend(store, stream, newEvents(1), 'no_stream');
      for (const { position } of early.batches) {
        expect(position).toBeLessThan(first);
        const rest = follow(store, { streamPrefixes: [stream], after: position });
        await rest.until('the event', () => rest.events.length === 1);
      }
    },
  );

  it('reaches the head of a log in which nothing is for it, also while it grows', async () => {
    const { store } = await startDoubleAndStore();
    const follower = follow(store, { streamPrefixes: [uniqueName('nothing')] });
    for (const count of [1, 1_000, 3]) {
      const { position } = await fillStream(store, uniqueName('noise'), newEvents(count));
      await follower.until('the head', () => follower.hasReached(position));
    }
    await isOrderly(follower);
    expect(follower.events).toEqual([]);
  });
});
