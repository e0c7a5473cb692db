/** A page of a replay that goes on where an earlier one ended says the same as one from the first event. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { getAccountReplayHandler } from '../../src/application/queries/account-replay.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventReader, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { settings } from '../domain/property-settings.ts';
import { ACCOUNT, captured, closed, held, opened, posted, released } from '../support/account-history.ts';
import { ArrayReader } from '../support/array-reader.ts';
import { newEvent, newMetadata } from '../support/event-builders.ts';

const codec = createBankCodec('USD');

/** What may be next in a stream, the wrong things too. */
const KINDS = {
  deposit: posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '1.00', balance: '1.00' }),
  withdrawal: posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '3.00', balance: '0.00' }),
  held: held('2.00'),
  released: released('2.00'),
  captured: captured('1.00', '1.00'),
  again: opened(),
  closed,
  unknown: { type: 'BankAccountTeleportedDomainEventV9', data: {} },
  malformed: { type: 'BankAccountTransactionRecordedDomainEventV1', data: { amount: 'a lot' } },
  oldAndBroken: { type: 'BankAccountCreatedDomainEventV1', data: { overdraft_limit: 'a lot' } },
};

const event = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
  // A revision that is missing before it, and a clock that steps back.
  gap: fc.constantFrom(0, 0, 0, 0, 1),
  seconds: fc.integer({ min: -1, max: 3 }),
});

const history = fc.tuple(
  fc.constantFrom('opened', 'deposit'),
  fc.array(event, { minLength: 2, maxLength: 40 }),
);
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

function streamOf([first, rest]: History): RecordedEvent[] {
  let revision = -1;
  let at = Date.UTC(2026, 0, 15);
  const beginning = { ...(first === 'opened' ? opened() : KINDS.deposit), gap: 0, seconds: 0 };
  return [beginning, ...rest.map(({ kind, ...one }) => ({ ...KINDS[kind], ...one }))].map(
    ({ type, data, gap, seconds }) => {
      revision += 1 + gap;
      at += seconds * 1_000;
      const timestamp = new Date(at).toISOString();
      const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: ACCOUNT, timestamp });
      const place = { stream: bankAccountStream(ACCOUNT), revision, position: BigInt(revision) };
      return { ...newEvent({ type, data, metadata }), ...place, recordedAt: timestamp };
    },
  );
}

const handlerOn = (events: readonly RecordedEvent[]) => {
  const reader = new ArrayReader(events);
  return { reader, ask: getAccountReplayHandler({ events: reader as unknown as EventReader, codec }) };
};
type Ask = ReturnType<typeof handlerOn>['ask'];

async function pageFrom(ask: Ask, from: number, limit: number, more: { findings_only?: 'true' } = {}) {
  const input = { id: ACCOUNT, from, to: undefined, limit, cursor: undefined, rules: undefined } as const;
  const context = { correlation_id: 'test', causation_id: 'test' };
  const decision = await ask({ findings_only: 'false', ...input, ...more }, context);
  if (!decision.ok) throw new Error(decision.rejection.detail);
  return decision.value;
}

it('a page says the same wherever the replay before it has been, also over a stream that was begun anew', async () => {
  const asked = fc.array(
    fc.record({
      from: fc.nat(60),
      limit: fc.integer({ min: 1, max: 9 }),
      anew: fc.constantFrom(false, false, true),
    }),
    { minLength: 2, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(history, history, asked, async (one, other, pages) => {
      const streams = [streamOf(one), streamOf(other)];
      const { ask, reader } = handlerOn(streams[0] ?? []);
      for (const { from, limit, anew } of pages) {
        if (anew) reader.events.splice(0, reader.events.length, ...(streams.reverse()[0] ?? []));
        const newest = reader.events.at(-1)?.revision ?? 0;
        const start = Math.min(from, newest);
        const fresh = await pageFrom(handlerOn(reader.events).ask, start, limit);
        expect(await pageFrom(ask, start, limit)).toEqual(fresh);
        // And the page behind it.
        const next = Number(fresh.next_cursor ?? start);
        expect(await pageFrom(ask, next, limit)).toEqual(
          await pageFrom(handlerOn(reader.events).ask, next, limit),
        );
      }
    }),
    settings(60),
  );
});

it('all pages of a long stream together read little more than one pass over it', async () => {
  const events = streamOf([
    'opened',
    Array.from({ length: 2_999 }, () => ({ kind: 'deposit' as const, gap: 0, seconds: 1 })),
  ]);
  const { ask, reader } = handlerOn(events);
  const shown: number[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: Awaited<ReturnType<typeof pageFrom>> = await pageFrom(ask, from, 50);
    shown.push(...page.items.map(({ revision }) => revision));
    from = page.next_cursor === undefined ? undefined : Number(page.next_cursor);
  }
  expect(shown).toEqual(events.map(({ revision }) => revision));
  // Some four of each page tell that the stream is the same, where it ends, and that there is another page.
  expect(reader.given).toBeLessThan(events.length + (events.length / 50) * 6);
  reader.given = 0;
  await pageFrom(ask, 1_777, 1);
  expect(reader.given).toBeLessThan(520);
});
