/** What snapshots must do on any event store: each adapter runs this suite. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, NewEvent } from '../../src/event-sourcing/event-store.ts';
import type { OperationArchive } from '../../src/event-sourcing/operation-log.ts';
import { SNAPSHOT_EVENT_TYPE, toSnapshotEvent } from '../../src/event-sourcing/snapshots/snapshot.ts';
import { SNAPSHOT_OPERATIONS_MAX } from '../../src/event-sourcing/snapshots/snapshot-policy.ts';
import { milestoneStream, snapshotStream } from '../../src/event-sourcing/snapshots/snapshot-streams.ts';
import { newId } from '../../src/new-id.ts';
import { collect, mustAppend, uniqueName } from '../support/event-builders.ts';
import {
  type BenchOptions,
  keptRevisions,
  NOW,
  snapshotBench,
  snapshotWallet,
} from '../support/snapshot-bench.ts';
import { fill, filled, opened, someone, spend, walletEvents, walletType } from '../support/wallet.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

export interface SnapshotFixture {
  readonly store: EventStore;
  dispose(): Promise<void>;
}

export function describeSnapshotContract(name: string, open: () => Promise<SnapshotFixture>): void {
  describe(`snapshots on ${name}`, () => {
    let fixture: SnapshotFixture;
    let store: WatchedEventStore;
    let id: string;
    const keepers: { close(): Promise<void> }[] = [];

    beforeEach(async () => {
      fixture = await open();
      store = new WatchedEventStore(fixture.store);
      id = uniqueName('wallet');
    });
    afterEach(async () => {
      for (const keeper of keepers.splice(0)) await keeper.close();
      await fixture.dispose();
    });

    const bench = (options?: BenchOptions) => {
      const made = snapshotBench(store, options);
      keepers.push(made.keeper);
      return made;
    };
    const stream = () => walletType.stream(id);
    /** Opens a wallet and puts 1 into it again and again, up to a revision. */
    const given = async (revision: number) => {
      const events = walletEvents(id, opened(), ...Array.from({ length: revision }, () => filled(1)));
      await mustAppend(store.inner, stream(), events, 'no_stream');
    };
    /** One deposit after the other, each with what it brings about done. */
    const deposit = async (on: ReturnType<typeof bench>, times: number) => {
      for (let time = 0; time < times; time += 1) {
        await on.wallets.execute(id, fill(1), someone);
        await on.keeper.settled();
      }
    };
    const operation = (key: string) => ({
      ...someone,
      operation: { id: key, contentHash: `hash of ${key}` },
    });
    const eventsOf = (name: string) => collect(store.inner.readStream(name));
    /** The newest snapshot as it is stored, but with other data. */
    const forge = async (change: (data: Record<string, unknown>) => Record<string, unknown>) => {
      const [newest] = (await eventsOf(snapshotStream(stream()))).slice(-1);
      if (!newest) throw new Error('there is no snapshot to forge');
      const data = change(newest.data as Record<string, unknown>);
      const forged: NewEvent = { id: newId(), type: newest.type, data, metadata: newest.metadata };
      await mustAppend(store.inner, snapshotStream(stream()), [forged], 'any');
    };
    /** A snapshot that is in order but for the balance that it tells. */
    const lie = async (revision: number, balance: number, eventId?: string) => {
      const events = await eventsOf(stream());
      const event = events[revision];
      if (!event) throw new Error(`there is no revision ${revision}`);
      const snapshot = {
        state: { owner: 'ann', balance },
        revision,
        eventId: eventId ?? event.id,
        latest: event.metadata.timestamp,
        operations: { recent: [], hasForgotten: false },
      };
      const wrong = toSnapshotEvent(snapshotWallet, id, snapshot, { id: newId(), takenAt: NOW });
      await mustAppend(store.inner, snapshotStream(stream()), [wrong], 'any');
    };

    it('are taken every so many events, and the newest ones are kept', async () => {
      await given(8);
      const { keeper, heard, ...one } = bench();
      await deposit({ keeper, heard, ...one }, 45);
      expect(await keptRevisions(store.inner, id)).toEqual([29, 39, 49]);
      expect(heard.filter((what) => what === 'written events')).toHaveLength(5);
    });

    it('are where a load begins, which reads only what came since', async () => {
      await given(8);
      await deposit(bench(), 5);
      const { wallets, heard } = bench();
      store.forget();
      expect(await wallets.load(id)).toEqual({ state: { owner: 'ann', balance: 13 }, revision: 13 });
      expect(heard).toEqual(['load used']);
      // The event on which it stands is read again, as a proof that the stream is the same.
      const read = store.reads.filter((one) => one.stream === stream());
      expect(read).toEqual([{ stream: stream(), from: 9, given: 5 }]);
    });

    it('are missed where there are none, and a long load is followed by one', async () => {
      await given(25);
      const first = bench();
      await first.wallets.load(id);
      await first.keeper.settled();
      expect(first.heard).toEqual(['load missed', 'written events']);
      const second = bench();
      await second.wallets.load(id);
      expect(second.heard).toEqual(['load used']);
    });

    it('are taken after a slow load, and for age', async () => {
      await given(12);
      const slow = bench({ policy: { slowLoadMs: 0 } });
      await slow.wallets.load(id);
      await slow.keeper.settled();
      expect(slow.heard).toEqual(['load missed', 'written slow_load']);
      await mustAppend(store.inner, stream(), walletEvents(id, ...Array(12).fill(filled(1))), 12);
      const aged = bench({ policy: { ageMs: 7 * 86_400_000 } });
      await aged.wallets.load(id);
      await aged.keeper.settled();
      expect(aged.heard).toEqual(['load used', 'written age']);
      expect(await keptRevisions(store.inner, id)).toEqual([12, 24]);
    });

    it('are taken on demand, once of each revision', async () => {
      await given(3);
      const { wallets, heard } = bench();
      expect(await wallets.takeSnapshot(id)).toEqual({ revision: 3, written: true });
      expect(await wallets.takeSnapshot(id)).toEqual({ revision: 3, written: false });
      expect(await wallets.takeSnapshot('nobody')).toBeUndefined();
      expect(heard).toEqual(['load missed', 'written request']);
    });

    it('keep one in so many revisions for good, without the memory of operations', async () => {
      await given(0);
      const one = bench({ retention: { newest: 2, milestoneEvery: 20 }, policy: { everyEvents: 7 } });
      await deposit(one, 90);
      expect(await keptRevisions(store.inner, id)).toEqual([83, 90]);
      expect(await keptRevisions(store.inner, id, 'milestones')).toEqual([20, 41, 62, 83]);
      const [milestone] = await eventsOf(milestoneStream(stream()));
      expect(milestone?.data).not.toHaveProperty('operations');
    });

    it('give the newest one at or before any revision, and any time', async () => {
      await given(0);
      const one = bench({ retention: { newest: 2, milestoneEvery: 20 }, policy: { everyEvents: 7 } });
      await deposit(one, 90);
      const { history } = one.keeper;
      const found = async (revision: number) => (await history.atOrBefore(id, revision))?.revision;
      const asked = [0, 19, 20, 21, 40, 41, 61, 62, 82, 83, 89, 90, 1_000];
      const answers = await Promise.all(asked.map(found));
      expect(answers).toEqual([undefined, undefined, 20, 20, 20, 41, 41, 62, 62, 83, 83, 90, 90]);
      expect((await history.atOrBefore(id, 41))?.state).toEqual({ owner: 'ann', balance: 41 });
      expect((await history.asOf(id, NOW))?.revision).toBe(90);
      expect(await history.asOf(id, '2026-01-01T00:00:00.000Z')).toBeUndefined();
    });

    it('do not forget an operation: a key used just before, and one used long before', async () => {
      await given(0);
      const first = bench();
      const answers = new Map<string, unknown>();
      for (const key of ['early', ...Array.from({ length: 7 }, (_, index) => `key-${index}`)]) {
        answers.set(key, await first.wallets.execute(id, fill(1), operation(key)));
        await first.keeper.settled();
      }
      expect(first.heard).not.toContain('written events');
      // The tenth event: the snapshot is taken behind it.
      answers.set('last', await first.wallets.execute(id, spend(2), operation('last')));
      await first.keeper.settled();
      expect(await keptRevisions(store.inner, id)).toEqual([9]);
      const { wallets, heard } = bench();
      for (const [key, answer] of answers) {
        const decide = key === 'last' ? spend(2) : fill(1);
        const again = await wallets.execute(id, decide, operation(key));
        expect(again).toEqual({
          ok: true,
          value: { ...(answer as { value: object }).value, replayed: true },
        });
      }
      expect(heard).toEqual(['load used']);
      const other = { ...someone, operation: { id: 'last', contentHash: 'another content' } };
      expect(await wallets.execute(id, spend(1), other)).toMatchObject({
        ok: false,
        rejection: { code: 'idempotency_conflict' },
      });
      expect((await eventsOf(stream())).length).toBe(10);
    });

    it('lead to the archive for what the aggregate itself has forgotten', async () => {
      const count = SNAPSHOT_OPERATIONS_MAX + 30;
      const events = walletEvents(id, opened(), ...Array.from({ length: count }, () => filled(1)));
      const keyed = events.map((event, index) =>
        index === 0
          ? event
          : {
              ...event,
              metadata: {
                ...event.metadata,
                idempotency_key: `key-${index}`,
                idempotency_hash: `hash of key-${index}`,
              },
            },
      );
      await mustAppend(store.inner, stream(), keyed, 'no_stream');
      const first = bench();
      await first.wallets.load(id);
      await first.keeper.settled();
      const asked: unknown[] = [];
      const archive: OperationArchive = {
        async find(_aggregate, operationIds, oldestRemembered) {
          asked.push([operationIds, oldestRemembered]);
          const found = { contentHash: 'hash of key-5', firstRevision: 5, lastRevision: 5 };
          return new Map(operationIds.includes('key-5') ? [['key-5', found]] : []);
        },
      };
      const { wallets, heard } = bench({ archive });
      const again = await wallets.execute(id, fill(1), operation('key-5'));
      expect(again).toMatchObject({ ok: true, value: { revision: 5, replayed: true } });
      expect(asked).toEqual([[['key-5'], 'key-31']]);
      expect(await wallets.execute(id, fill(1), operation('key-31'))).toMatchObject({
        ok: true,
        value: { revision: 31, replayed: true },
      });
      expect(heard).toEqual(['load used']);
    });

    it('whose content has been changed are not used, reported, and replaced', async () => {
      await given(25);
      const first = bench();
      await first.wallets.takeSnapshot(id);
      await forge((data) => ({ ...data, state: { owner: 'ann', balance: 1_000_000 } }));
      const second = bench();
      expect((await second.wallets.load(id))?.state.balance).toBe(25);
      await second.keeper.settled();
      // The one before it is in order, and so the load was quick all the same.
      expect(second.heard).toEqual(['discarded checksum', 'load used', 'audit repaired']);
      expect(second.problems).toMatchObject([
        { kind: 'discarded', aggregate: 'Wallet', id, reason: 'checksum' },
      ]);
      const third = bench();
      expect((await third.wallets.load(id))?.state.balance).toBe(25);
      expect(third.heard).toEqual(['load used']);
    });

    it('that are none at all are not used, reported, and replaced', async () => {
      await given(25);
      const strange = {
        id: newId(),
        type: 'Strange',
        data: {},
        metadata: walletEvents(id, opened())[0]?.metadata,
      };
      await mustAppend(store.inner, snapshotStream(stream()), [strange as NewEvent], 'any');
      const { wallets, keeper, heard } = bench();
      expect((await wallets.load(id))?.state.balance).toBe(25);
      await keeper.settled();
      // Where reads take their time, the audit may be done before the load, which then brings a second replacement.
      expect(heard.slice(0, 3)).toEqual(
        expect.arrayContaining(['discarded unreadable', 'load missed', 'audit repaired']),
      );
      expect(new Set(await keptRevisions(store.inner, id))).toEqual(new Set([25]));
      expect(await eventsOf(snapshotStream(stream()))).not.toContainEqual(
        expect.objectContaining({ type: 'Strange' }),
      );
    });

    it('that tell something else than the events are found by an audit, reported, and replaced', async () => {
      await given(25);
      const first = bench();
      await first.wallets.takeSnapshot(id);
      await lie(25, 1_000_000);
      const second = bench();
      // It is in order as far as a load can tell.
      expect((await second.wallets.load(id))?.state.balance).toBe(1_000_000);
      second.keeper.audit(id);
      await second.keeper.settled();
      expect(second.heard).toEqual(['load used', 'audit repaired', 'discarded wrong']);
      expect(second.problems).toMatchObject([{ kind: 'discarded', reason: 'wrong', revision: 25 }]);
      // The state in memory came from it, and is gone with it.
      expect((await second.wallets.load(id))?.state.balance).toBe(25);
      const third = bench();
      expect((await third.wallets.load(id))?.state.balance).toBe(25);
      expect(third.heard).toEqual(['load used']);
      third.keeper.audit(id);
      await third.keeper.settled();
      expect(third.heard).toEqual(['load used', 'audit sound']);
    });

    it('of another version of the state are ignored and replaced', async () => {
      await given(25);
      await bench().wallets.takeSnapshot(id);
      const newer = bench({ aggregate: { ...snapshotWallet, stateVersion: 2 } });
      await newer.wallets.load(id);
      await newer.keeper.settled();
      expect(newer.heard).toEqual(['discarded version', 'load missed', 'written replacement']);
      expect(newer.problems).toEqual([]);
      const again = bench({ aggregate: { ...snapshotWallet, stateVersion: 2 } });
      await again.wallets.load(id);
      expect(again.heard).toEqual(['load used']);
      // Programs of both versions work side by side.
      const older = bench();
      await older.wallets.load(id);
      expect(older.heard).toEqual(['discarded version', 'load used']);
    });

    it('do not bring a deleted aggregate back, nor fit one that took its place', async () => {
      await given(25);
      await bench().wallets.takeSnapshot(id);
      await store.inner.deleteStream(stream());
      const gone = bench();
      expect(await gone.wallets.load(id)).toBeUndefined();
      expect(gone.heard).toContain('discarded anchor');
      await mustAppend(store.inner, stream(), walletEvents(id, opened('bob'), filled(7)), 'any');
      const reopened = bench();
      expect((await reopened.wallets.load(id))?.state).toEqual({ owner: 'bob', balance: 7 });
    });

    it('of a history in which another event had the revision are not used', async () => {
      await given(25);
      await lie(25, 1_000_000, newId());
      const { wallets, keeper, heard, problems } = bench();
      expect((await wallets.load(id))?.state.balance).toBe(25);
      await keeper.settled();
      expect(heard.slice(0, 2)).toEqual(['discarded anchor', 'load missed']);
      expect(problems[0]).toMatchObject({ kind: 'discarded', reason: 'anchor', revision: 25 });
      const again = bench();
      await again.wallets.load(id);
      expect(again.heard).toEqual(['load used']);
    });

    it('are no events to who follows the log by the names of streams', async () => {
      await given(9);
      await bench().wallets.takeSnapshot(id);
      const position = await fixture.store.headPosition();
      const signal = new AbortController();
      const seen: string[] = [];
      for await (const batch of store.inner.subscribeToAll({
        streamPrefixes: [stream()],
        signal: signal.signal,
      })) {
        seen.push(...batch.events.map(({ type }) => type));
        if (position !== undefined && batch.position >= position) break;
      }
      signal.abort();
      expect(seen).toHaveLength(10);
      expect(seen).not.toContain(SNAPSHOT_EVENT_TYPE);
    });

    it('that cannot be written or read are reported, and nobody who asked for a state hears of it', async () => {
      await given(5);
      store.onRead = async (name) => {
        if (name.startsWith('snapshot-')) throw new Error('the disk is on fire');
      };
      const { wallets, keeper, heard, problems } = bench();
      expect((await wallets.load(id))?.revision).toBe(5);
      store.onRead = undefined;
      store.onAppend = (proceed, { stream: name }) =>
        name.startsWith('snapshot-') ? Promise.reject(new Error('the disk is full')) : proceed();
      expect(await wallets.execute(id, fill(1, 1, 1, 1), someone)).toMatchObject({ ok: true });
      await keeper.settled();
      expect(heard).toEqual(['load missed', 'skipped failed']);
      const doing = problems.map((problem) => problem.kind === 'failed' && problem.doing);
      expect(doing).toEqual(['reading', 'writing']);
      await expect(wallets.takeSnapshot(id)).rejects.toThrow('the disk is full');
    });
  });
}
