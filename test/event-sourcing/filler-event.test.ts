/** Whoever follows the log passes fillers over: they are in it only to keep the places of others. */
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { runConsumerGroup } from '../../src/event-sourcing/consumer-group-runner.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { fillerEvent, isFiller } from '../../src/event-sourcing/filler-event.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { ReactorBench } from '../support/reactor-bench.ts';
import { filled, opened, walletType } from '../support/wallet.ts';
import { ProjectorFixture } from './projector-fixture.ts';

let dispose: () => Promise<unknown> = async () => {};
afterEach(() => dispose());

/** Writes as an import does: fillers in place of what a stream has lost. */
async function fill(store: EventStore, stream: string, count: number): Promise<void> {
  for (let revision = 0; revision < count; revision += 1) {
    const { id, type, data, metadata } = fillerEvent(stream, revision);
    await mustAppend(store, stream, [{ id, type, data, metadata }], 'any');
  }
}

describe('a filler', () => {
  it('is no event that somebody else named so', () => {
    const { stream, revision, ...event } = fillerEvent('thing-a', 3);
    const recorded = { ...event, stream, revision, position: 9n, recordedAt: '2026-01-01T00:00:00.000Z' };
    expect(isFiller(recorded)).toBe(true);
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const other of [{ revision: 4 }, { stream: 'thing-b' }, { type: 'Other' }, { id: newEvent().id }]) {
      expect(isFiller({ ...recorded, ...other })).toBe(false);
    }
  });

  it('is neither folded nor a dead letter', async () => {
    const fixture = new ProjectorFixture();
    dispose = () => fixture.dispose();
    await fixture.record('a', opened());
    await fill(fixture.events, walletType.stream('b'), 2);
    await fixture.record('a', filled(5));
    await fixture.project();
    expect(await fixture.deadLetters()).toEqual([]);
    expect(await fixture.wallet('a')).toEqual([5, 2]);
  });

  it('is not delivered, and moves the checkpoint', async () => {
    const bench = new ReactorBench();
    dispose = () => bench.dispose();
    await fill(bench.events, 'thing-a', 2);
    await bench.record('thing-a', 1);
    await fill(bench.events, 'thing-b', 1);
    await bench.start();
    await bench.caughtUp();
    expect(bench.sink.delivered).toHaveLength(1);
    expect(bench.sink.revisionsOf('thing-a')).toEqual([2]);
  });

  it('is done in a consumer group without being handled', async () => {
    const store = openSqliteEventStore({ kind: 'memory' });
    const abort = new AbortController();
    await fill(store, 'transfer-1', 2);
    await mustAppend(store, 'transfer-1', [newEvent()], 1);
    const handled: number[] = [];
    const running = runConsumerGroup({
      groups: store.consumerGroups(),
      settings: { name: 'driver', streamPrefixes: ['transfer-'], startFrom: 'first_event' },
      handle: async ({ revision }) => {
        handled.push(revision);
      },
      signal: abort.signal,
    });
    dispose = async () => {
      abort.abort();
      await running.ended;
      await store.close();
    };
    await eventually('three events done', () => running.counts.done === 3);
    expect(handled).toEqual([2]);
  });
});
