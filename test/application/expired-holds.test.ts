/** Lists of holds at an instant: what has expired is not open, recorded or not, and pages hold all that they should. */
import { afterEach, expect, it } from 'vitest';
import type { Bank } from '../../src/application/bank.ts';
import { getHoldHandler, listAccountHoldsHandler } from '../../src/application/queries/holds.ts';
import type { BankAccountEvent, HoldStatus } from '../../src/domain/bank-account.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { ClockedBank } from '../support/clocked-bank.ts';
import { SOMEONE } from '../support/transfer-bench.ts';

let clocked: ClockedBank;
afterEach(() => clocked.close());

const PLACED = '2026-02-01T00:00:00.000Z';
const EXPIRY = '2026-02-02T00:00:00.000Z';
const JUST_BEFORE = '2026-02-01T23:59:59.999Z';
const hold = (hold_id: string, expires_at?: string): BankAccountEvent => ({
  type: 'BankAccountHoldPlacedDomainEventV1',
  data: {
    hold_id,
    amount: '1.00',
    currency: 'USD',
    description: 'hotel',
    ...(expires_at ? { expires_at } : {}),
  },
});
const released = (hold_id: string): BankAccountEvent => ({
  type: 'BankAccountHoldReleasedDomainEventV1',
  data: { hold_id, amount: '1.00', currency: 'USD', reason: 'RELEASED' },
});

async function account(...events: BankAccountEvent[]): Promise<string> {
  clocked = new ClockedBank();
  const id = await clocked.account(
    PLACED,
    created('p'),
    posted('t', usd('CREDIT', '99.00', '99.00')),
    ...events,
  );
  await clocked.project();
  return id;
}

/** The ids of all pages, and how many there were. */
async function listed(id: string, status: HoldStatus | undefined, limit: number, now: string) {
  clocked.now = now;
  const list = listAccountHoldsHandler(clocked.node() as Bank);
  const ids: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await list({ id, status, limit, cursor }, SOMEONE);
    if (!page.ok) throw new Error(page.rejection.code);
    expect(page.value.items.length).toBeLessThanOrEqual(limit);
    if (status) expect(new Set(page.value.items.map((one) => one.status)).size).toBeLessThanOrEqual(1);
    ids.push(...page.value.items.map((one) => one.id));
    cursor = page.value.next_cursor;
    pages += 1;
  } while (cursor !== undefined);
  return { ids, pages };
}

it.each([1, 2, 50])('has expired from its instant on, in pages of %i', async (limit) => {
  const id = await account(
    hold('a', EXPIRY),
    hold('b'),
    hold('c', EXPIRY),
    hold('d', '2026-02-03T00:00:00.000Z'),
    hold('e'),
    released('e'),
  );
  const ids = async (status: HoldStatus | undefined, now: string) =>
    (await listed(id, status, limit, now)).ids;
  expect(await ids('OPEN', JUST_BEFORE)).toEqual(['d', 'c', 'b', 'a']);
  expect(await ids('EXPIRED', JUST_BEFORE)).toEqual([]);
  expect(await ids('OPEN', EXPIRY)).toEqual(['d', 'b']);
  expect(await ids('EXPIRED', EXPIRY)).toEqual(['c', 'a']);
  expect(await ids('RELEASED', EXPIRY)).toEqual(['e']);
  expect(await ids(undefined, EXPIRY)).toEqual(['e', 'd', 'c', 'b', 'a']);
});

it('is looked for in a bounded number of steps: a page may be empty, and leads on', async () => {
  const many = Array.from({ length: 50 }, (_, n) => hold(`h${n}`, '2026-02-03T00:00:00.000Z'));
  const id = await account(hold('first', EXPIRY), ...many);
  const { ids, pages } = await listed(id, 'EXPIRED', 1, EXPIRY);
  expect(ids).toEqual(['first']);
  expect(pages).toBe(3);
});

it('tells of one hold whether its revision says all', async () => {
  const id = await account(hold('a', EXPIRY));
  for (const [now, status, settled] of [
    [JUST_BEFORE, 'OPEN', true],
    [EXPIRY, 'EXPIRED', false],
  ] as const) {
    clocked.now = now;
    const found = await getHoldHandler(clocked.node() as Bank)({ id, hold_id: 'a' }, SOMEONE);
    expect(found).toMatchObject({ value: { hold: { status, closed_at: null }, settled } });
  }
});
