/** Workers that share projections by leases: one leader for each piece, spread over the workers, taken over after a death. */
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { leaseWatcher } from '../../src/event-sourcing/lease-sightings.ts';
import type { Fence, LeaseRecord } from '../../src/event-sourcing/read-model-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { WorkSharing, type WorkSharingProblem } from '../../src/event-sourcing/work-sharing.ts';
import { eventually } from '../support/eventually.ts';

const TTL_MS = 1_000;
const LOOK_MS = 5;

/** Leases in a real store; a test may make them fail, or lose the answer to a swap that worked. */
class Leases {
  readonly #store = openSqliteReadModelStore({ kind: 'memory' });
  fault: 'none' | 'down' | 'answer_lost' = 'none';
  #hanging: Promise<void> = Promise.resolve();

  /** Nothing is answered until what it returns is called. */
  hang(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hanging = promise;
    return resolve;
  }

  async listLeases(): Promise<LeaseRecord[]> {
    await this.#hanging;
    this.#check();
    return this.#store.listLeases();
  }

  async swapLease(before: LeaseRecord | undefined, after: LeaseRecord | undefined): Promise<boolean> {
    await this.#hanging;
    this.#check();
    const swapped = await this.#store.swapLease(before, after);
    if (this.fault === 'answer_lost') {
      this.fault = 'none';
      throw new StoreError('unavailable', 'The answer got lost.');
    }
    return swapped;
  }

  async of(name: string): Promise<LeaseRecord | undefined> {
    return (await this.#store.listLeases()).find((one) => one.name === name);
  }

  #check(): void {
    if (this.fault === 'down') throw new StoreError('unavailable', 'The store is down.');
  }
}

/** A worker with a clock of its own that stands still until the test moves it. */
class TestWorker {
  readonly problems: WorkSharingProblem[] = [];
  readonly fences = new Map<string, Fence>();
  now = 0;
  readonly #stopping = new AbortController();
  readonly #crashing = new Map<string, (error: unknown) => void>();
  readonly #running: Promise<void>;
  readonly #sharing: WorkSharing;

  constructor(leases: Leases, holder: string, works: readonly string[]) {
    this.#sharing = new WorkSharing({
      leases,
      holder,
      ttlMs: TTL_MS,
      lookMs: LOOK_MS,
      clock: () => this.now,
      works: works.map((name) => ({ name, run: (fence, signal) => this.#work(name, fence, signal) })),
      onProblem: (problem) => this.problems.push(problem),
    });
    this.#running = this.#sharing.run(this.#stopping.signal);
  }

  get leads(): string[] {
    return [...this.fences.keys()].sort();
  }

  get reachable(): boolean {
    return this.#sharing.reachable;
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#running;
  }

  crash(work: string, error: unknown): void {
    this.#crashing.get(work)?.(error);
  }

  #work(name: string, fence: Fence, signal: AbortSignal): Promise<void> {
    this.fences.set(name, fence);
    return new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#crashing.set(name, reject);
    }).finally(() => this.fences.delete(name));
  }
}

const running: TestWorker[] = [];

afterEach(() => Promise.all(running.splice(0).map((worker) => worker.stop())));

function start(leases: Leases, holder: string, works: readonly string[] = ['one', 'two']): TestWorker {
  const worker = new TestWorker(leases, holder, works);
  running.push(worker);
  return worker;
}

async function untilLeads(worker: TestWorker, works: readonly string[]): Promise<void> {
  await eventually(`leading ${works}`, async () => worker.leads.join() === works.join());
}

/** Waits until a worker has looked at the leases so often again. */
async function looks(leases: Leases, holder: string, times: number): Promise<void> {
  const renewals = async () => (await leases.of(`worker/${holder}`))?.renewals ?? 0;
  const before = await renewals();
  await eventually(`${times} looks`, async () => (await renewals()) > before + times);
}

describe('a worker alone', () => {
  it('leads everything, each with a fence of its own', async () => {
    const worker = start(new Leases(), 'ann');
    await untilLeads(worker, ['one', 'two']);
    expect(worker.fences.get('one')).toEqual({ lease: 'one', token: 1 });
    expect(worker.fences.get('two')).toEqual({ lease: 'two', token: 1 });
  });

  it('gives its leases back when it stops, with their tokens, and leaves no trace of itself', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    await worker.stop();
    expect(worker.leads).toEqual([]);
    expect(await leases.of('one')).toMatchObject({ holder: '', token: 1 });
    expect(await leases.of('worker/ann')).toBeUndefined();
  });

  it('leads again, with a higher token, what ended by itself', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    const failure = new StoreError('fenced', 'Another leader.');
    worker.crash('one', failure);
    await eventually('the end', async () => (await leases.of('one'))?.holder === '');
    worker.now += LOOK_MS;
    await eventually('a new term', async () => worker.fences.get('one')?.token === 2);
    expect(worker.problems).toContainEqual({ kind: 'leading_ended', work: 'one', error: failure });
  });

  it('rests longer each time before it leads again what keeps ending by itself', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    let restMs = LOOK_MS;
    for (let token = 1; token <= 10; token += 1) {
      await eventually('a term', async () => worker.fences.get('one')?.token === token);
      worker.crash('one', new StoreError('unavailable', 'The log is away.'));
      await eventually('the end', async () => (await leases.of('one'))?.holder === '');
      worker.now += restMs - 1;
      await looks(leases, 'ann', 3);
      expect(worker.leads).toEqual([]);
      worker.now += 1;
      restMs = Math.min(restMs * 2, TTL_MS);
    }
    await untilLeads(worker, ['one']);
  });

  it('keeps leading through a store that is down for less than the lease', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    leases.fault = 'down';
    await eventually('a failed look', async () => !worker.reachable);
    worker.now += TTL_MS - 1;
    leases.fault = 'none';
    await eventually('a look that worked', async () => worker.reachable);
    expect(worker.fences.get('one')?.token).toBe(1);
  });

  it('stops by itself when it could not renew in time, for another may lead by now', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    leases.fault = 'down';
    worker.now += TTL_MS;
    await untilLeads(worker, []);
    expect(worker.problems.at(-1)?.kind).toMatch(/leading_ended|leases_unreachable/);
  });

  it('stops by itself also when the store neither renews nor refuses', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    const answer = leases.hang();
    worker.now += TTL_MS;
    await untilLeads(worker, []);
    answer();
  });

  it('does not wait for ever for a store that does not answer when it is to stop', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    const answer = leases.hang();
    await worker.stop();
    expect(worker.leads).toEqual([]);
    answer();
  });

  it('keeps its lease when the answer to a renewal gets lost', async () => {
    const leases = new Leases();
    const worker = start(leases, 'ann', ['one']);
    await untilLeads(worker, ['one']);
    for (let lost = 0; lost < 3; lost += 1) {
      leases.fault = 'answer_lost';
      await eventually('the loss', async () => leases.fault === 'none');
      const before = (await leases.of('one'))?.renewals ?? 0;
      await eventually('renewals go on', async () => ((await leases.of('one'))?.renewals ?? 0) > before + 1);
    }
    expect(worker.fences.get('one')?.token).toBe(1);
  });
});

describe('several workers', () => {
  it('spread the work: one that holds more than its share gives some up', async () => {
    const leases = new Leases();
    const ann = start(leases, 'ann');
    await untilLeads(ann, ['one', 'two']);
    const bob = start(leases, 'bob');
    await eventually('one each', async () => ann.leads.length === 1 && bob.leads.length === 1);
    expect([...ann.leads, ...bob.leads].sort()).toEqual(['one', 'two']);
  });

  it('never lead the same work, whoever joins and leaves', async () => {
    const leases = new Leases();
    const works = ['one', 'two', 'three'];
    const workers = [start(leases, 'ann', works), start(leases, 'bob', works), start(leases, 'cyd', works)];
    const watching = setInterval(() => {
      const led = workers.flatMap((worker) => worker.leads);
      expect(led.length).toBe(new Set(led).size);
    }, 1);
    onTestFinished(() => clearInterval(watching));
    await eventually('one each', async () => workers.every((worker) => worker.leads.length === 1));
    await workers[0]?.stop();
    await eventually('all led', async () => workers.flatMap((worker) => worker.leads).length === 3);
  });

  it('take over from a dead one only after its records stood still for the whole lease', async () => {
    const leases = new Leases();
    await leases.swapLease(undefined, { name: 'one', holder: 'dead', token: 7, renewals: 3 });
    await leases.swapLease(undefined, { name: 'worker/dead', holder: 'dead', token: 0, renewals: 3 });
    const bob = start(leases, 'bob', ['one']);
    await eventually('bob is there', async () => (await leases.of('worker/bob')) !== undefined);
    bob.now = TTL_MS - 1;
    await looks(leases, 'bob', 3);
    expect(bob.leads).toEqual([]);
    bob.now = TTL_MS + 1;
    await untilLeads(bob, ['one']);
    expect(bob.fences.get('one')?.token).toBe(8);
    await eventually('the dead is forgotten', async () => (await leases.of('worker/dead')) === undefined);
  });

  it('leave nothing to nobody when only some of them can do it', async () => {
    const leases = new Leases();
    const ann = start(leases, 'ann', ['one', 'two', 'three']);
    await untilLeads(ann, ['one', 'three', 'two']);
    const bob = start(leases, 'bob', ['one', 'two']);
    // Her share is two now, and he cannot do the third.
    await eventually('one is given up', async () => ann.leads.length === 2);
    await looks(leases, 'ann', 3);
    for (const worker of [ann, bob]) worker.now += TTL_MS;
    await eventually('all led', async () => [...ann.leads, ...bob.leads].length === 3);
    await eventually('each has a share', async () => bob.leads.length === 1);
    await looks(leases, 'ann', 3);
    expect([...ann.leads, ...bob.leads].sort()).toEqual(['one', 'three', 'two']);
    expect(ann.leads).toContain('three');
  });

  it('end their work when they find that another has taken it', async () => {
    const leases = new Leases();
    const ann = start(leases, 'ann', ['one']);
    await untilLeads(ann, ['one']);
    // As another worker does that saw ann stand still: she was paused, and wakes up now.
    await eventually('the theft', async () => {
      const held = await leases.of('one');
      return (
        held !== undefined && leases.swapLease(held, { name: 'one', holder: 'bob', token: 2, renewals: 0 })
      );
    });
    await untilLeads(ann, []);
    expect(await leases.of('one')).toMatchObject({ holder: 'bob', token: 2 });
  });
});

describe('a watcher of leases', () => {
  it('tells living holders from dead ones by whether their records change', async () => {
    const leases = new Leases();
    let now = 0;
    const alive = leaseWatcher(leases, TTL_MS, () => now);
    const held = { name: 'one', holder: 'ann', token: 1, renewals: 0 };
    await leases.swapLease(undefined, held);
    await leases.swapLease(undefined, { ...held, name: 'free', holder: '' });
    expect(await alive()).toEqual(new Map([['one', 'ann']]));
    now += TTL_MS - 1;
    await leases.swapLease(held, { ...held, renewals: 1 });
    expect((await alive()).has('one')).toBe(true);
    now += TTL_MS - 1;
    expect((await alive()).has('one')).toBe(true);
    now += 1;
    expect((await alive()).has('one')).toBe(false);
  });
});
