/** Temporal replay: boundaries, clocks that run back, streams that were cut or deleted, and how little it reads. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { MARK_EVERY_EVENTS } from '../../src/event-sourcing/replay-marks.ts';
import type { PastState, SnapshotHistory } from '../../src/event-sourcing/snapshots/snapshot-history.ts';
import { type Found, TemporalReplay } from '../../src/event-sourcing/temporal-replay.ts';
import { ArrayReader } from '../support/array-reader.ts';
import {
  filled,
  opened,
  type Wallet,
  type WalletEvent,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';

const STREAM = 'wallet-one';
const second = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString();

/** A stream whose events happened at these seconds; each but the first puts one in. */
function streamAt(seconds: readonly number[], events?: readonly WalletEvent[]): RecordedEvent[] {
  const told = events ?? seconds.map((_, index) => (index === 0 ? opened() : filled(1)));
  return walletEvents('one', ...told).map((event, revision) => ({
    ...event,
    metadata: { ...event.metadata, timestamp: second(seconds[revision] as number) },
    stream: STREAM,
    revision,
    position: BigInt(revision + 1),
    recordedAt: second(0),
  }));
}

function replayOf(events: readonly RecordedEvent[], snapshots?: SnapshotHistory<Wallet>) {
  const reader = new ArrayReader(events);
  const sources = { reader, codec: walletCodec, aggregate: walletType };
  return { reader, replay: new TemporalReplay({ ...sources, ...(snapshots ? { snapshots } : {}) }) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const balanceOf = (found: Found<Wallet>) =>
  found.kind === 'found' ? found.moment.state.balance : found.kind;

/** Keeps what a test gives it, oldest first. */
function keeping(...kept: readonly PastState<Wallet>[]): SnapshotHistory<Wallet> {
  return {
    atOrBefore: async (_id, revision) => kept.findLast((one) => one.revision <= revision),
    asOf: async (_id, at) => kept.findLast((one) => one.latest <= at),
  };
}

/** The state after an event of a stream whose times never run back. */
function pastState(event: RecordedEvent, balance = event.revision): PastState<Wallet> {
  const { revision, id, metadata } = event;
  return { state: { owner: 'ann', balance }, revision, eventId: id, latest: metadata.timestamp };
}

describe('the state at a time', () => {
  it('counts an event at exactly that time, and none a millisecond later', async () => {
    const { replay } = replayOf(streamAt([0, 10, 20]));
    const before = new Date(Date.parse(second(10)) - 1).toISOString();
    const answers = [before, second(10), second(19), second(20), second(9_999)];
    expect(
      await Promise.all(answers.map(async (time) => balanceOf(await replay.at('one', { time })))),
    ).toEqual([0, 1, 1, 2, 2]);
    expect(await replay.at('one', { time: second(10) })).toEqual({
      kind: 'found',
      moment: { state: { owner: 'ann', balance: 1 }, revision: 1, timestamp: second(10) },
    });
  });

  it('says when the first event came, before it', async () => {
    const { replay } = replayOf(streamAt([5, 6]));
    const found = await replay.at('one', { time: second(4) });
    expect(found).toEqual({ kind: 'before_first', firstTime: second(5) });
    expect(await replay.at('nobody', { time: second(4) })).toEqual({ kind: 'missing' });
  });

  it('lets an event of a clock that was behind count from the event before it on', async () => {
    // The third was stamped before the second, which it followed.
    const { replay } = replayOf(streamAt([0, 20, 10, 30]));
    for (const [time, balance] of [
      [10, 0],
      [19, 0],
      [20, 2],
      [29, 2],
      [30, 3],
    ] as const) {
      expect(balanceOf(await replay.at('one', { time: second(time) })), `at ${time}`).toBe(balance);
    }
  });

  it('is that before an event from far ahead, until its time has come', async () => {
    const { replay } = replayOf(streamAt([0, 1, 1_000_000, 2]));
    expect(balanceOf(await replay.at('one', { time: second(999_999) }))).toBe(1);
    expect(balanceOf(await replay.at('one', { time: second(1_000_000) }))).toBe(3);
  });
});

describe('the state at a revision', () => {
  it('is the one right after its event', async () => {
    const { replay } = replayOf(streamAt([0, 10, 20]));
    const states = upTo(3).map(async (revision) => balanceOf(await replay.at('one', { revision })));
    expect(await Promise.all(states)).toEqual([0, 1, 2]);
    expect(await replay.at('one', { revision: 3 })).toEqual({ kind: 'beyond_last', lastRevision: 2 });
    expect(await replay.at('nobody', { revision: 0 })).toEqual({ kind: 'missing' });
  });
});

describe('a long stream', () => {
  const events = streamAt(upTo(5_000));
  const near = (revision: number) => ({ time: second(revision) });

  it('is read once, and later only from the mark before the time', async () => {
    const { replay, reader } = replayOf(events);
    expect(balanceOf(await replay.at('one', near(4_900)))).toBe(4_900);
    expect(reader.given).toBe(4_902);
    for (const point of [near(4_900), near(4_321), near(700), { revision: 4_321 }, { revision: 0 }]) {
      reader.given = 0;
      const expected = 'time' in point ? Date.parse(point.time) : point.revision;
      expect(balanceOf(await replay.at('one', point))).toBe(
        'time' in point ? (expected - Date.parse(second(0))) / 1_000 : expected,
      );
      expect(reader.given).toBeLessThanOrEqual(MARK_EVERY_EVENTS + 2);
    }
  });

  it('is never read from the start where there are snapshots', async () => {
    const kept = upTo(5).map((index) => pastState(events[index * 1_000 + 999] as RecordedEvent));
    for (const [revision, read] of [
      [4_999, 1],
      [2_345, 348],
      [1_999, 2],
      [1_998, 1_001],
      [998, 1_000],
    ] as const) {
      for (const point of [near(revision), { revision }]) {
        const { replay, reader } = replayOf(events, keeping(...kept));
        expect(balanceOf(await replay.at('one', point))).toBe(revision);
        expect(reader.given, `up to ${revision}`).toBeLessThanOrEqual(read);
      }
    }
  });

  it('is read from the snapshot that lies nearest, and on its own where that is of another stream', async () => {
    // It is wrong on purpose, so that it shows where it was used.
    const wrong = pastState(events[4_000] as RecordedEvent, -1_000);
    const used = replayOf(events, keeping(wrong)).replay;
    expect(balanceOf(await used.at('one', near(4_001)))).toBe(-999);
    expect(balanceOf(await used.at('one', near(3_999)))).toBe(3_999);
    const foreign = replayOf(events, keeping({ ...wrong, eventId: 'another' })).replay;
    expect(balanceOf(await foreign.at('one', near(4_001)))).toBe(4_001);
  });
});

describe('a snapshot that was wrong', () => {
  const events = streamAt(upTo(1_200));
  const wrong = pastState(events[400] as RecordedEvent, -1_000);

  /** Hands it out once; then it has been replaced. */
  const handedOutOnce = (whenHandedOut = () => {}): SnapshotHistory<Wallet> => {
    const kept = [wrong];
    const handOut = async () => {
      whenHandedOut();
      return kept.pop();
    };
    return { atOrBefore: handOut, asOf: handOut };
  };

  it('leaves nothing in memory once that is known', async () => {
    const { replay } = replayOf(events, handedOutOnce());
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(-300);
    replay.distrust('one');
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(1_100);
  });

  it('nor when that comes out while it is being used', async () => {
    const { replay } = replayOf(
      events,
      handedOutOnce(() => replay.distrust('one')),
    );
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(-300);
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(1_100);
  });

  it('is passed over where the events behind it cannot follow', async () => {
    const { replay } = replayOf(events, keeping({ ...wrong, state: null as unknown as Wallet }));
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(1_100);
  });
});

describe('a stream that is not whole', () => {
  it('says from where on it is there, unless a snapshot leads on', async () => {
    const events = streamAt(upTo(10)).slice(4);
    const { replay } = replayOf(events);
    expect(await replay.at('one', { time: second(7) })).toEqual({ kind: 'removed', firstRevision: 4 });
    expect(await replay.at('one', { revision: 2 })).toEqual({ kind: 'removed', firstRevision: 4 });
    const led = replayOf(events, keeping(pastState(events[0] as RecordedEvent, 100))).replay;
    expect(balanceOf(await led.at('one', { time: second(7) }))).toBe(103);
    expect(balanceOf(await led.at('one', { revision: 4 }))).toBe(100);
    expect(await led.at('one', { revision: 3 })).toEqual({ kind: 'removed', firstRevision: 4 });
  });

  it('is not remembered after it was deleted', async () => {
    const { replay, reader } = replayOf(streamAt(upTo(1_200)));
    expect(balanceOf(await replay.at('one', { revision: 1_100 }))).toBe(1_100);
    reader.events.length = 0;
    expect(await replay.at('one', { revision: 1_100 })).toEqual({ kind: 'missing' });
    expect(await replay.at('one', { revision: 999 })).toEqual({ kind: 'missing' });
  });

  it('is told up to an event that cannot be applied, and not beyond it', async () => {
    const foreign = { type: 'ForeignV1', data: {} } as unknown as WalletEvent;
    const { replay } = replayOf(streamAt(upTo(4), [opened(), filled(5), foreign, filled(5)]));
    expect(balanceOf(await replay.at('one', { revision: 1 }))).toBe(5);
    await expect(replay.at('one', { revision: 3 })).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('Revision 2 of wallet-one cannot be applied: ForeignV1'),
    });
  });
});
