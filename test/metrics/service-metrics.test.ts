/** The page over stores that lag, are slow or gone; what it costs them; and the reports of the worker. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { command } from '../../src/application/mediator.ts';
import type { Collection, ReadModelStore } from '../../src/event-sourcing/read-model-store.ts';
import type { ArchiveFigures } from '../../src/metrics/archive-gauges.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import type { StoreSources } from '../../src/metrics/store-metrics.ts';
import { mustAppend, newEvents } from '../support/event-builders.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { checkpoint, commit, newDeadLetter } from '../support/read-model-builders.ts';

const INFO = { version: '1.2.3', role: 'worker', node: 'here' };
const [fast, slow]: Collection[] = [
  { name: 'fast', version: 2, indexes: [], listed: false },
  { name: 'slow', version: 1, indexes: [], listed: false },
];
/** More than a page takes at most, in milliseconds. */
const LONG_MS = 2_500;

let events: SqliteEventStore;
let readModels: ReadModelStore;
let metrics: ServiceMetrics;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] });
  events = openSqliteEventStore({ kind: 'memory' });
  readModels = openSqliteReadModelStore({ kind: 'memory' });
  await readModels.prepare([fast, slow] as Collection[], events.storeId);
  metrics = new ServiceMetrics(INFO);
});
afterEach(async () => {
  vi.useRealTimers();
  await readModels.close();
  await events.close();
});

function watch(overrides: Partial<StoreSources> = {}): void {
  metrics.watch({
    events,
    positionsCountEvents: true,
    readModels,
    projections: [fast, slow] as Collection[],
    workerState: () => 'running',
    parked: [],
    subscriptions: [],
    streams: async () => ({ categories: [], orphanTransfers: 0 }),
    ...overrides,
  });
}

/** A new page; time passes until it is there, and the next one is new too. */
async function page(): Promise<MetricsPage> {
  const made = metrics.page();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  const { text, contentType } = await made;
  vi.advanceTimersByTime(1_000);
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  return new MetricsPage(text);
}

/** All samples of a gauge, zeros too, by the values of their labels. */
function all(on: MetricsPage, name: string): Record<string, number> {
  return Object.fromEntries(
    on.samples(name).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

/** Ten events, of which one projection has seen all and the other four. */
async function fallBehind(): Promise<void> {
  await mustAppend(events, 'thing-1', newEvents(10), 'no_stream');
  await commit(readModels, { checkpoints: [checkpoint(fast as Collection, 10n)] });
  await commit(readModels, { checkpoints: [checkpoint(slow as Collection, 4n)] });
}

const never = () => new Promise<never>(() => {});
const gone = () => Promise.reject(new Error('It is gone.'));

describe('lag', () => {
  it('is told in events and in seconds, by projection', async () => {
    await fallBehind();
    vi.advanceTimersByTime(30_000);
    watch();
    const made = await metrics.page();
    const shown = new MetricsPage(made.text);
    expect(shown.value('openbank_event_store_head_position')).toBe(10);
    expect(all(shown, 'openbank_projection_position')).toEqual({ fast: 10, slow: 4 });
    expect(all(shown, 'openbank_projection_lag_events')).toEqual({ fast: 0, slow: 6 });
    expect(all(shown, 'openbank_projection_lag_seconds')).toEqual({ fast: 0, slow: 30 });
  });

  it('of a projection without a checkpoint, or with one of another version, is the whole log', async () => {
    await fallBehind();
    watch({
      projections: [
        { name: 'fast', version: 3 },
        { name: 'new', version: 1 },
      ],
    });
    expect(all(await page(), 'openbank_projection_lag_events')).toEqual({ fast: 10, new: 10 });
  });

  it('is not told in events where positions do not count them', async () => {
    await fallBehind();
    watch({ positionsCountEvents: false });
    const shown = await page();
    expect(all(shown, 'openbank_projection_lag_events')).toEqual({ fast: 0 });
    expect(Object.keys(all(shown, 'openbank_projection_lag_seconds'))).toEqual(['fast', 'slow']);
  });

  it('in an empty log is none', async () => {
    watch();
    const shown = await page();
    expect(shown.value('openbank_event_store_head_position')).toBe(0);
    expect(all(shown, 'openbank_projection_lag_seconds')).toEqual({ fast: 0, slow: 0 });
  });

  it('of other followers of the log is told too', async () => {
    await fallBehind();
    vi.advanceTimersByTime(5_000);
    watch({ subscriptions: [async () => [{ name: 'publisher', position: 7n }]] });
    const shown = new MetricsPage((await metrics.page()).text);
    expect(all(shown, 'openbank_subscription_position')).toEqual({ publisher: 7 });
    expect(all(shown, 'openbank_subscription_lag_events')).toEqual({ publisher: 3 });
    expect(all(shown, 'openbank_subscription_lag_seconds')).toEqual({ publisher: 5 });
    expect(shown.value('openbank_scrape_source_up', { source: 'subscriptions' })).toBe(1);
  });
});

describe('what waits for a decision', () => {
  it('is counted by projection and by consumer', async () => {
    const letters = [
      newDeadLetter({ projection: 'slow', documentKey: 'a' }),
      newDeadLetter({ projection: 'slow', documentKey: 'b' }),
      newDeadLetter({ projection: '*' }),
    ];
    await commit(readModels, { deadLetters: letters });
    watch({
      parked: [
        async () => [{ consumer: 'cloud-events', count: 2 }],
        async () => [
          { consumer: 'transfers', count: 0 },
          { consumer: 'audit', count: 1 },
        ],
      ],
    });
    const shown = await page();
    expect(all(shown, 'openbank_dead_letters')).toEqual({ fast: 0, slow: 2, '*': 1 });
    expect(all(shown, 'openbank_parked_messages')).toEqual({ 'cloud-events': 2, transfers: 0, audit: 1 });
  });
});

describe('the archive and the lag of snapshots', () => {
  const figures = { volumes: 2, unfinishedVolumes: 1, events: 70, bytes: 4_000 };
  const lastRun = { endedAt: '2026-07-01T00:00:00.000Z', failed: false, events: 30 };

  it('are shown where there are any, each run as it ended', async () => {
    let shown: ArchiveFigures = figures;
    watch({ archive: async () => shown, snapshotLag: async () => ({ mostEvents: 150, lagging: 3 }) });
    const first = await page();
    expect(first.value('openbank_archive_volumes')).toBe(2);
    expect(first.value('openbank_archive_unfinished_volumes')).toBe(1);
    expect(first.value('openbank_archive_events')).toBe(70);
    expect(first.value('openbank_archive_bytes')).toBe(4_000);
    expect(first.value('openbank_archive_failing')).toBe(0);
    expect(all(first, 'openbank_archive_run_timestamp_seconds')).toEqual({});
    expect(first.value('openbank_snapshot_lag_events')).toBe(150);
    expect(first.value('openbank_snapshots_lagging')).toBe(3);
    shown = { ...figures, lastRun };
    const second = await page();
    expect(second.value('openbank_archive_run_timestamp_seconds')).toBe(
      Date.parse('2026-07-01T00:00:00.000Z') / 1_000,
    );
    expect(second.value('openbank_archive_run_events')).toBe(30);
    shown = { ...figures, lastRun: { ...lastRun, failed: true, events: 0 } };
    expect((await page()).value('openbank_archive_failing')).toBe(1);
  });

  it('are absent where there are none, or where they do not answer', async () => {
    const names = ['archive_events', 'archive_failing', 'snapshot_lag_events', 'snapshots_lagging'];
    watch();
    const without = await page();
    for (const name of names) expect(all(without, `openbank_${name}`), name).toEqual({});
    expect(all(without, 'openbank_scrape_source_up')).not.toHaveProperty('archive');
    metrics = new ServiceMetrics(INFO);
    watch({ archive: gone, snapshotLag: never });
    const down = await page();
    for (const name of names) expect(all(down, `openbank_${name}`), name).toEqual({});
    expect(all(down, 'openbank_scrape_source_up')).toMatchObject({ archive: 0, snapshot_lag: 0 });
  });
});

describe('when read models', () => {
  for (const [how, fault] of [
    ['are gone', gone],
    ['do not answer', never],
  ] as const) {
    it(`${how}, the page has all the rest, and says what is missing`, async () => {
      await fallBehind();
      const down = { checkpoints: fault, countDeadLetters: fault, listDeadLetters: fault };
      const parked = [async () => [{ consumer: 'audit', count: 1 }], fault];
      watch({ readModels: down, parked, streams: fault });
      metrics.requests.onAnswer('GET', '/somewhere', 200, 0.01);
      const shown = await page();
      expect(all(shown, 'openbank_scrape_source_up')).toEqual({
        event_store: 1,
        checkpoints: 0,
        dead_letters: 0,
        worker: 1,
        parked: 0,
        stream_health: 0,
      });
      for (const name of [
        'projection_position',
        'projection_lag_seconds',
        'dead_letters',
        'orphan_transfers',
      ])
        expect(all(shown, `openbank_${name}`), name).toEqual({});
      expect(all(shown, 'openbank_parked_messages')).toEqual({ audit: 1 });
      expect(shown.value('openbank_event_store_head_position')).toBe(10);
      expect(shown.sum('openbank_http_request_duration_seconds_count')).toBe(1);
    });
  }

  it('go away, the page does not go on with what they said before', async () => {
    await fallBehind();
    let down = false;
    const unlessDown =
      <T>(ask: () => Promise<T>) =>
      () =>
        down ? gone() : ask();
    const store = bound(readModels);
    watch({
      readModels: {
        checkpoints: unlessDown(store.checkpoints),
        countDeadLetters: unlessDown(store.countDeadLetters),
        listDeadLetters: store.listDeadLetters,
      },
      workerState: unlessDown(async () => 'running'),
      parked: [unlessDown(async () => [{ consumer: 'audit', count: 1 }])],
      subscriptions: [unlessDown(async () => [{ name: 'publisher', position: 7n }])],
    });
    const gauges = ['projection_lag_events', 'subscription_position', 'dead_letters', 'worker_state'];
    const shown = async () => {
      const on = await page();
      return [...gauges, 'parked_messages'].filter((name) => on.samples(`openbank_${name}`).length > 0);
    };
    expect(await shown()).toEqual([...gauges, 'parked_messages']);
    down = true;
    expect(await shown()).toEqual([]);
  });

  it('come back, they are on the page again', async () => {
    await fallBehind();
    let down = true;
    const checkpoints = () => (down ? gone() : readModels.checkpoints());
    watch({ readModels: { ...bound(readModels), checkpoints } });
    expect(all(await page(), 'openbank_projection_position')).toEqual({});
    down = false;
    expect(all(await page(), 'openbank_projection_position')).toEqual({ fast: 10, slow: 4 });
  });
});

describe('when the event store', () => {
  it('does not answer, positions are told without their lag', async () => {
    await fallBehind();
    watch({ events: { headPosition: never, readAll: events.readAll.bind(events) } });
    const shown = await page();
    expect(shown.value('openbank_event_store_head_position')).toBeUndefined();
    expect(all(shown, 'openbank_projection_position')).toEqual({ fast: 10, slow: 4 });
    expect(all(shown, 'openbank_projection_lag_events')).toEqual({});
    expect(shown.value('openbank_scrape_source_up', { source: 'event_store' })).toBe(0);
  });

  it('answers the head but no event, only what lags has no age', async () => {
    await fallBehind();
    const readAll = () => ({ [Symbol.asyncIterator]: () => ({ next: never }) });
    watch({ events: { headPosition: () => events.headPosition(), readAll } });
    const shown = await page();
    expect(all(shown, 'openbank_projection_lag_events')).toEqual({ fast: 0, slow: 6 });
    expect(all(shown, 'openbank_projection_lag_seconds')).toEqual({ fast: 0 });
    expect(shown.value('openbank_scrape_source_up', { source: 'event_store' })).toBe(0);
  });
});

describe('scrapes', () => {
  it('share a page that is being made, or less than a second old', async () => {
    const checkpoints = vi.fn(() => readModels.checkpoints());
    watch({ readModels: { ...bound(readModels), checkpoints } });
    const pages = await Promise.all(Array.from({ length: 20 }, () => metrics.page()));
    expect(new Set(pages).size).toBe(1);
    vi.advanceTimersByTime(999);
    expect(await metrics.page()).toBe(pages[0]);
    expect(checkpoints).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(await metrics.page()).not.toBe(pages[0]);
    expect(checkpoints).toHaveBeenCalledTimes(2);
  });

  it('do not ask again what is still under way', async () => {
    const checkpoints = vi.fn(never);
    watch({ readModels: { ...bound(readModels), checkpoints } });
    for (let scrape = 0; scrape < 3; scrape += 1) await page();
    expect(checkpoints).toHaveBeenCalledTimes(1);
  });
});

describe('the worker', () => {
  it('is in one state of those that there are', async () => {
    let state = 'retrying';
    watch({ workerState: async () => state });
    const zeros = { running: 0, retrying: 0, standby: 0, unattended: 0, stopped: 0 };
    expect(all(await page(), 'openbank_worker_state')).toEqual({ ...zeros, retrying: 1 });
    state = 'stopped';
    expect(all(await page(), 'openbank_worker_state')).toEqual({ ...zeros, stopped: 1 });
  });

  it('reports problems, which are counted by kind', async () => {
    for (const kind of ['retrying', 'retrying', 'rebuilding', 'leases_unreachable'] as const)
      metrics.onWorkerReport({ kind });
    expect(all(await page(), 'openbank_worker_problems_total')).toEqual({
      retrying: 2,
      dead_letter: 0,
      rebuilding: 1,
      worker_died: 0,
      leases_unreachable: 1,
      publisher: 0,
      transfers: 0,
      timers: 0,
    });
  });

  it('leads from when it says so until it says otherwise, or dies', async () => {
    const leading = async () => all(await page(), 'openbank_worker_leading');
    expect(await leading()).toEqual({});
    metrics.onWorkerReport({ kind: 'leading', work: 'accounts' });
    metrics.onWorkerReport({ kind: 'leading', work: 'transactions' });
    metrics.onWorkerReport({ kind: 'leading_ended', work: 'accounts' });
    expect(await leading()).toEqual({ accounts: 0, transactions: 1 });
    metrics.onWorkerReport({ kind: 'worker_died' });
    expect(await leading()).toEqual({});
  });
});

it('a command that throws is an error, and throws still', async () => {
  const message = command<void>()('Fail', z.strictObject({}));
  const context = { correlation_id: 'one', causation_id: 'one' };
  await expect(metrics.messages(message, {}, context, gone)).rejects.toThrow('It is gone.');
  expect((await page()).table('openbank_commands_total')).toEqual({ 'Fail error': 1 });
});

/** The part of a store that the metrics read, for a test to replace some of it. */
function bound(store: ReadModelStore) {
  return {
    checkpoints: () => store.checkpoints(),
    countDeadLetters: () => store.countDeadLetters(),
    listDeadLetters: (options: { limit: number }) => store.listDeadLetters(options),
  };
}
