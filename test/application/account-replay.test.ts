/** The pages of a replay: how much of a long stream one request looks through. */
import { expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { getAccountReplayHandler } from '../../src/application/queries/account-replay.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventReader } from '../../src/event-sourcing/event-store.ts';
import { ACCOUNT, opened, posted } from '../support/account-history.ts';
import { ArrayReader } from '../support/array-reader.ts';
import { newEvent, newMetadata } from '../support/event-builders.ts';

const LOOKS_MAX = 20_000;
const EVENTS = LOOKS_MAX + 3;

it('a page in search of findings ends after so many steps, and the next one goes on there', async () => {
  const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: ACCOUNT });
  const events = Array.from({ length: EVENTS }, (_, revision) => {
    const balance = revision === EVENTS - 1 ? '0.01' : `${revision}.00`;
    const one = posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '1.00', balance });
    const { type, data } = revision === 0 ? opened() : one;
    const place = { stream: bankAccountStream(ACCOUNT), revision, position: BigInt(revision) };
    return { ...newEvent({ type, data, metadata }), ...place, recordedAt: metadata.timestamp };
  });
  const reader = new ArrayReader(events) as unknown as EventReader;
  const ask = getAccountReplayHandler({ events: reader, codec: createBankCodec('USD') });
  const request = { id: ACCOUNT, limit: 50, findings_only: 'true', rules: undefined } as const;
  const page = async (cursor?: string) => {
    const input = { ...request, from: undefined, to: undefined, cursor };
    const decision = await ask(input, { correlation_id: 'test', causation_id: 'test' });
    if (!decision.ok) throw new Error(decision.rejection.detail);
    const { items, next_cursor } = decision.value;
    return [items.map(({ revision, findings }) => [revision, findings[0]?.code]), next_cursor];
  };
  expect(await page()).toEqual([[], String(LOOKS_MAX)]);
  expect(await page(String(LOOKS_MAX))).toEqual([[[EVENTS - 1, 'balance_differs']], undefined]);
});
