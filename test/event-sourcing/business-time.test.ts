/** The business time: the one that a decision is told is the one that its events carry and that a fold sees again. */
import { afterEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { createCodec } from '../../src/event-sourcing/codec.ts';
import { type AggregateType, type Outcome, Repository } from '../../src/event-sourcing/repository.ts';
import { collect } from '../support/event-builders.ts';
import { someone } from '../support/wallet.ts';

interface Diary {
  readonly seen: readonly string[];
}
type Noted = { readonly type: 'NotedV1'; readonly data: { readonly told: string } };

const diaryType: AggregateType<Diary, Noted> = {
  name: 'Diary',
  stream: (id) => `diary-${id}`,
  evolve: (diary, _event, at) => ({ seen: [...(diary?.seen ?? []), at] }),
};
const note = (_diary: Diary | undefined, now: string): Outcome<Noted[], never> => ({
  ok: true,
  value: [{ type: 'NotedV1', data: { told: now } }],
});

const store = openSqliteEventStore({ kind: 'memory' });
afterEach(() => store.close());

function newRepository(times: Date[]) {
  return new Repository<Diary, Noted, never>(diaryType, createCodec<Noted>(['NotedV1']), {
    store,
    newId: () => crypto.randomUUID(),
    now: () => times.shift() ?? new Date(0),
  });
}

it('is told to the decision, recorded, and seen by the fold, also when the stream is read again', async () => {
  const days = [new Date('2026-01-01T23:59:59.999Z'), new Date('2026-01-02T00:00:00.000Z')];
  const diaries = newRepository([...days]);
  await diaries.execute('one', note, someone);
  const last = await diaries.execute('one', note, someone);

  const times = days.map((day) => day.toISOString());
  const events = await collect(store.readStream('diary-one'));
  expect(events.map(({ data }) => data)).toEqual(times.map((told) => ({ told })));
  expect(events.map(({ metadata }) => metadata.timestamp)).toEqual(times);
  expect(last).toMatchObject({ ok: true, value: { state: { seen: times } } });
  expect(await newRepository([]).load('one')).toMatchObject({ state: { seen: times } });
});
