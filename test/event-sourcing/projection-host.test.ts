/** Rebuilds beside what is served: swaps, restarts, changed versions, and what operators ask for meanwhile. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import type { Filling } from '../../src/event-sourcing/following.ts';
import {
  OPERATOR_REQUESTS_STREAM,
  OperatorRequests,
  type ProjectionRequestType,
} from '../../src/event-sourcing/operator-requests.ts';
import type { ProjectionGroup } from '../../src/event-sourcing/projection.ts';
import {
  type ElsewhereTask,
  ProjectionHost,
  type ProjectionHostOptions,
} from '../../src/event-sourcing/projection-host.ts';
import {
  GROUP_STATES,
  type GroupState,
  staleProjections,
} from '../../src/event-sourcing/projection-state.ts';
import { newId } from '../../src/new-id.ts';
import { mustAppend } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import {
  filled,
  opened,
  WALLET_STREAM_PREFIX,
  type WalletEvent,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { movements, owners, revisions, type WalletDocument, wallets } from '../support/wallet-projections.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const GROUP: ProjectionGroup<WalletEvent> = { name: 'money', projections: [wallets, movements, owners] };
const CONTEXT = { correlation_id: 'c', causation_id: 'c' };

/** The wallets as a later program has them: with twice the balance. */
const doubled = {
  ...wallets,
  version: 2,
  fold: (...args: Parameters<typeof wallets.fold>): WalletDocument => {
    const [document, ...rest] = args;
    const halved = document && { ...document, balance: document.balance / 2 };
    const folded = wallets.fold(halved, ...rest);
    return { ...folded, balance: folded.balance * 2 };
  },
};
const CHANGED: ProjectionGroup<WalletEvent> = { name: 'money', projections: [doubled, movements, owners] };

class Bench {
  readonly events = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  readonly store = openSqliteReadModelStore({ kind: 'memory' });
  readonly problems: string[] = [];
  readonly #running: { stopping: AbortController; ended: Promise<void> }[] = [];

  async start(
    groups: readonly ProjectionGroup<WalletEvent>[] = [GROUP],
    settings: Partial<ProjectionHostOptions<WalletEvent>> = {},
  ) {
    await this.store.prepare([], this.events.storeId);
    const host = new ProjectionHost<WalletEvent>({
      reader: this.events,
      store: this.store,
      codec: walletCodec,
      groups,
      streamPrefixes: [WALLET_STREAM_PREFIX],
      intervalMs: 0,
      retryDelayMs: 2,
      lookMs: 5,
      retireMs: 0,
      onProblem: ({ kind }) => this.problems.push(kind),
      ...settings,
    });
    const stopping = new AbortController();
    const running = { stopping, ended: host.run(stopping.signal) };
    this.#running.push(running);
    return { host, stop: () => this.#stop(running) };
  }

  async record(id: string, ...events: readonly WalletEvent[]): Promise<void> {
    await mustAppend(this.events, walletType.stream(id), walletEvents(id, ...events), 'any');
  }

  ask(type: ProjectionRequestType, consumer = 'money') {
    const requests = new OperatorRequests({ store: this.events, newId, now: () => new Date() });
    return requests.record({ type, data: { consumer } }, CONTEXT);
  }

  async balance(id: string): Promise<number | undefined> {
    return (await this.store.get<WalletDocument>(wallets, id))?.document?.balance;
  }

  async state(name = 'money'): Promise<GroupState | undefined> {
    return (await this.store.get<GroupState>(GROUP_STATES, name))?.document;
  }

  /** What is served, and what else is there. */
  async builds(name = 'wallets'): Promise<{ live: string[]; others: string[] }> {
    const found = (await this.store.builds()).filter(({ projection }) => projection === name);
    const text = (live: boolean) =>
      found.filter((one) => one.live === live).map(({ version, build }) => `v${version} #${build}`);
    return { live: text(true), others: text(false) };
  }

  async caughtUp(): Promise<void> {
    await eventually('what is served at the end of the log', async () => {
      const head = (await this.events.headPosition()) ?? 0n;
      const reached = await this.store.checkpoints();
      return reached.length > 0 && reached.every(({ position }) => position >= head);
    });
  }

  async serves(build: string): Promise<void> {
    await eventually(`${build} to be served`, async () => (await this.builds()).live.includes(build));
  }

  async #stop({ stopping, ended }: { stopping: AbortController; ended: Promise<void> }): Promise<void> {
    stopping.abort();
    await ended;
  }

  async dispose(): Promise<void> {
    for (const running of this.#running) await this.#stop(running);
    await this.store.close();
    await this.events.close();
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.dispose());

/** Holds every subscription that starts at the first event until it is let go: a rebuild that takes its time. */
function holdRebuilds(): { release(): void; readonly held: () => boolean } {
  let release: () => void = () => {};
  let held = false;
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  bench.events.onSubscribe = async function* (batches, signal, options) {
    if ((options.after ?? 0n) === 0n) {
      held = true;
      await Promise.race([open, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    }
    yield* batches;
  };
  return { release, held: () => held };
}

describe('a first start', () => {
  it('serves what it fills from the first event on', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.start();
    await bench.caughtUp();
    expect(await bench.balance('a')).toBe(5);
    expect(await bench.builds()).toEqual({ live: ['v1 #1'], others: [] });
  });

  it('takes over what was filled before there were builds', async () => {
    await bench.store.prepare([wallets, movements, owners], bench.events.storeId);
    await bench.record('a', opened(), filled(5));
    const document = { id: 'a', balance: 77, owner: 'ann', changes: 2, revision: 1 };
    await bench.store.commit({
      writes: [
        { collection: wallets, document: { key: 'a', sequence: 1n, position: 2n, blocked: false, document } },
      ],
      deadLetters: [],
      checkpoints: [wallets, movements, owners].map(({ name }) => ({
        projection: name,
        version: 1,
        position: 2n,
      })),
    });
    await bench.record('a', filled(1));
    await bench.start();
    await bench.caughtUp();
    expect(await bench.balance('a')).toBe(78);
    expect(await bench.builds()).toEqual({ live: ['v1 #0'], others: [] });
  });
});

describe('a rebuild', () => {
  it('goes on beside what is served and kept up to date, then takes its place', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.start();
    await bench.caughtUp();
    const rebuild = holdRebuilds();
    await bench.ask('ProjectionRebuildRequestedV1');
    await eventually('the rebuild to begin', rebuild.held);
    await bench.record('a', filled(2));
    await eventually('the new balance', async () => (await bench.balance('a')) === 7);
    expect(await bench.builds()).toEqual({ live: ['v1 #1'], others: ['v1 #2'] });
    expect(await bench.state()).toMatchObject({ rebuild: { build: 2, reason: 'requested' } });
    rebuild.release();
    await bench.serves('v1 #2');
    expect(await bench.balance('a')).toBe(7);
    await bench.record('a', filled(1));
    await eventually('the swapped build to follow', async () => (await bench.balance('a')) === 8);
    await eventually('the old build gone', async () => (await bench.builds()).others.length === 0);
    expect((await bench.state())?.rebuild).toBeNull();
    expect(bench.problems).toEqual([]);
  });

  it('mends documents that were damaged, and forgets dead letters that do not come again', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.start();
    await bench.caughtUp();
    const live = { ...wallets, build: 1 };
    const wrong = { key: 'a', sequence: 1n, position: 2_000n, blocked: true, document: { balance: 1 } };
    await bench.store.commit({
      writes: [{ collection: live, document: wrong }],
      deadLetters: [],
      checkpoints: [],
    });
    await bench.ask('ProjectionRebuildRequestedV1');
    await bench.serves('v1 #2');
    expect(await bench.store.get(wallets, 'a')).toMatchObject({ blocked: false, document: { balance: 5 } });
    expect(await bench.store.countDeadLetters()).toBe(0);
  });

  it('never makes a reader wait or see less than before', async () => {
    for (let n = 0; n < 200; n += 1) await bench.record(`w${n % 20}`, ...(n < 20 ? [opened()] : [filled(1)]));
    await bench.start();
    await bench.caughtUp();
    let least = Number.POSITIVE_INFINITY;
    let reads = 0;
    let done = false;
    const reading = (async () => {
      while (!done) {
        const found = await bench.store.find<WalletDocument>(wallets, { order: 'oldest_first', limit: 100 });
        least = Math.min(
          least,
          found.reduce((sum, { document }) => sum + (document?.balance ?? 0), 0),
        );
        reads += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let build = 2; build <= 4; build += 1) {
      await bench.ask('ProjectionRebuildRequestedV1');
      await bench.serves(`v1 #${build}`);
    }
    done = true;
    await reading;
    expect(reads).toBeGreaterThan(10);
    expect(least).toBe(180);
  });

  it('waits for what is filled elsewhere: until that is at the end, and as far as what is served', async () => {
    const groups = [GROUP, { name: 'others', projections: [revisions] }];
    await bench.record('a', opened(), filled(5));
    const before = await bench.start(groups);
    await bench.caughtUp();
    await before.stop();
    const there = { caughtUp: false, position: 0n, looks: 0, wakes: 0 };
    const elsewhere = ({ builds }: ElsewhereTask): Filling => ({
      projections: new Set(builds.map(({ name }) => name)),
      state: 'running',
      get caughtUp() {
        there.looks += 1;
        return there.caughtUp;
      },
      get position() {
        return there.position;
      },
      get reached() {
        return there.position;
      },
      rates: { events_per_second: 0, positions_per_second: 0 },
      start: () => undefined,
      wake() {
        there.wakes += 1;
      },
      mustBeWell: () => undefined,
      stop: async () => undefined,
    });
    await bench.ask('ProjectionRebuildRequestedV1');
    await bench.ask('ProjectionRebuildRequestedV1', 'others');
    await bench.start(groups, { elsewhere });
    await eventually('a few looks at it', () => there.looks > 20);
    expect(await bench.builds()).toMatchObject({ live: ['v1 #1'] });
    there.caughtUp = true;
    await eventually('the hand-over', () => there.wakes > 2);
    expect(await bench.builds()).toMatchObject({ live: ['v1 #1'] });
    there.position = (await bench.events.headPosition()) ?? 0n;
    await bench.serves('v1 #2');
    expect(await bench.balance('a')).toBe(5);
  });

  it('goes on where it was after a restart', async () => {
    await bench.record('a', opened(), filled(5));
    const first = await bench.start();
    await bench.caughtUp();
    const rebuild = holdRebuilds();
    await bench.ask('ProjectionRebuildRequestedV1');
    await eventually('the rebuild to begin', rebuild.held);
    await first.stop();
    expect(await bench.state()).toMatchObject({ rebuild: { build: 2 } });
    bench.events.onSubscribe = undefined;
    await bench.start();
    await bench.serves('v1 #2');
    expect(await bench.balance('a')).toBe(5);
  });

  it('that was swapped just before a crash is not done again', async () => {
    await bench.record('a', opened());
    const first = await bench.start();
    await bench.caughtUp();
    await bench.ask('ProjectionRebuildRequestedV1');
    await bench.serves('v1 #2');
    await eventually('the rebuild noted as done', async () => (await bench.state())?.rebuild === null);
    await first.stop();
    const stored = await bench.store.get<GroupState>(GROUP_STATES, 'money');
    const rebuild = {
      build: 2,
      reason: 'requested',
      started_at: '',
      versions: { wallets: 1 },
      position: '0',
    };
    const document = { ...stored?.document, rebuild };
    const late = {
      key: 'money',
      sequence: 1n,
      position: (stored?.position ?? 0n) + 1n,
      blocked: false,
      document,
    };
    await bench.store.commit({
      writes: [{ collection: GROUP_STATES, document: late }],
      deadLetters: [],
      checkpoints: [],
    });
    await bench.start();
    await eventually('the rebuild noted as done', async () => (await bench.state())?.rebuild === null);
    expect(await bench.builds()).toEqual({ live: ['v1 #2'], others: [] });
  });

  it('that is cancelled leaves nothing behind, and another one can begin', async () => {
    await bench.record('a', opened(), filled(5));
    await bench.start();
    await bench.caughtUp();
    const rebuild = holdRebuilds();
    await bench.ask('ProjectionRebuildRequestedV1');
    await eventually('the rebuild to begin', rebuild.held);
    await bench.ask('ProjectionRebuildCancelledV1');
    await eventually('the rebuild to end', async () => (await bench.state())?.rebuild === null);
    await eventually('its build gone', async () => (await bench.builds()).others.length === 0);
    expect((await bench.builds()).live).toEqual(['v1 #1']);
    rebuild.release();
    await bench.ask('ProjectionRebuildRequestedV1');
    await bench.serves('v1 #3');
  });

  it('of one group leaves the others alone', async () => {
    await bench.record('a', opened());
    await bench.start([GROUP, { name: 'revisions', projections: [revisions] }]);
    await bench.caughtUp();
    await bench.ask('ProjectionRebuildRequestedV1', 'revisions');
    await eventually('the swap', async () => (await bench.builds('revisions')).live[0] === 'v1 #2');
    expect((await bench.builds()).live).toEqual(['v1 #1']);
  });
});

describe('a group that is paused', () => {
  it('stands still, also over a restart, and goes on when it is resumed', async () => {
    await bench.record('a', opened());
    const first = await bench.start();
    await bench.caughtUp();
    await bench.ask('ProjectionPausedV1');
    await eventually('the pause', async () => (await bench.state())?.paused === true);
    await bench.record('a', filled(5));
    await first.stop();
    await bench.start([GROUP, { name: 'revisions', projections: [revisions] }]);
    await eventually('the other group', async () => (await bench.store.get(revisions, 'a'))?.position === 3n);
    expect(await bench.balance('a')).toBe(0);
    await bench.ask('ProjectionResumedV1');
    await eventually('what came meanwhile', async () => (await bench.balance('a')) === 5);
  });
});

describe('a changed version', () => {
  it('fills a new build at the next start; until the swap the old documents are served and known to be stale', async () => {
    await bench.record('a', opened(), filled(5));
    const first = await bench.start();
    await bench.caughtUp();
    await first.stop();
    const rebuild = holdRebuilds();
    await bench.start([CHANGED]);
    await eventually('the rebuild to begin', rebuild.held);
    await bench.record('a', filled(1));
    expect(await bench.balance('a')).toBe(5);
    expect(staleProjections([CHANGED], await bench.store.builds())).toEqual([
      'wallets',
      'movements',
      'owners',
    ]);
    expect(await bench.state()).toMatchObject({ rebuild: { reason: 'version_changed' } });
    await bench.ask('ProjectionRebuildCancelledV1');
    rebuild.release();
    await bench.serves('v2 #2');
    await eventually('the new documents', async () => (await bench.balance('a')) === 12);
    expect(staleProjections([CHANGED], await bench.store.builds())).toEqual([]);
  });

  it('keeps those before it in its group up to date', async () => {
    await bench.record('a', opened());
    const first = await bench.start();
    await bench.caughtUp();
    await first.stop();
    const rebuild = holdRebuilds();
    const changed = { name: 'money', projections: [wallets, { ...movements, version: 2 }, owners] };
    await bench.start([changed]);
    await eventually('the rebuild to begin', rebuild.held);
    await bench.record('a', filled(3));
    await eventually('the wallets', async () => (await bench.balance('a')) === 3);
    expect(staleProjections([changed], await bench.store.builds())).toEqual(['movements', 'owners']);
    rebuild.release();
  });

  it('that changes again before it has caught up starts over', async () => {
    await bench.record('a', opened(), filled(5));
    const first = await bench.start();
    await bench.caughtUp();
    await first.stop();
    const rebuild = holdRebuilds();
    const second = await bench.start([CHANGED]);
    await eventually('the rebuild to begin', rebuild.held);
    await second.stop();
    bench.events.onSubscribe = undefined;
    const third = { name: 'money', projections: [{ ...doubled, version: 3 }, movements, owners] };
    await bench.start([third]);
    await bench.serves('v3 #3');
    await eventually('the other builds gone', async () => (await bench.builds()).others.length === 0);
  });
});

describe('requests', () => {
  it('from before the read models were there mean nothing to them', async () => {
    await bench.ask('ProjectionPausedV1');
    await bench.record('a', opened());
    await bench.start();
    await bench.caughtUp();
    expect((await bench.state())?.paused).toBe(false);
  });

  it('that nobody understands are passed over', async () => {
    await bench.record('a', opened());
    await bench.start();
    await bench.caughtUp();
    await mustAppend(bench.events, OPERATOR_REQUESTS_STREAM, walletEvents('x', opened()), 'any');
    await bench.ask('ProjectionPausedV1');
    await eventually('the pause', async () => (await bench.state())?.paused === true);
  });
});
