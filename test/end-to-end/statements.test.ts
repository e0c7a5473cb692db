/** Statements of a bank with a past: what was recorded months ago, over HTTP, in every format. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import { personStream } from '../../src/domain/person.ts';
import { newId } from '../../src/new-id.ts';
import { ALICE, created, posted } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const owner = newId();
const yen = newId();
let bank: RunningBank;

/** In yen, which have no decimals; the balance is the one after the posting. */
const PAST = [
  ['2026-01-10T08:00:00.000Z', 'CREDIT', '5000', '5000', 'Salary'],
  ['2026-01-31T23:59:59.999Z', 'DEBIT', '1200', '3800', '=Rent'],
  ['2026-02-01T00:00:00.000Z', 'DEBIT', '4000', '-200', 'Sofa <red>'],
  ['2026-04-02T12:00:00.000Z', 'CREDIT', '300', '100', 'Refund'],
] as const;

beforeAll(async () => {
  const path = directory.file('bank/events.db');
  mkdirSync(directory.file('bank'), { recursive: true });
  const store = openSqliteEventStore({ kind: 'file', path });
  const at = (timestamp: string, type: string, id: string) =>
    newMetadata({ aggregate_type: type, aggregate_id: id, timestamp });
  const registered = { type: 'PersonRegisteredDomainEventV1', data: ALICE };
  const born = PAST[0][0];
  await mustAppend(
    store,
    personStream(owner),
    [newEvent({ ...registered, metadata: at(born, 'Person', owner) })],
    'no_stream',
  );
  const opening = created(owner, { currency: 'JPY', overdraft_limit: '500' });
  const events = [newEvent({ ...opening, metadata: at(born, 'BankAccount', yen) })];
  for (const [time, direction, amount, balance, description] of PAST) {
    const event = posted(newId(), { direction, amount, balance, currency: 'JPY', description });
    events.push(newEvent({ ...event, metadata: at(time, 'BankAccount', yen) }));
  }
  await mustAppend(store, bankAccountStream(yen), events, 'no_stream');
  await store.close();
  bank = await startBank({ dataDir: directory.file('bank') });
  await eventually('the past in the read models', async () => {
    const outcome = await bank.client.try('listAccountTransactions', { params: { id: yen } });
    return outcome.ok && outcome.body.items.length === PAST.length;
  });
});
afterAll(async () => {
  await bank?.close();
  directory.remove();
});

const get = async (month: string, query = '', accept?: string) => {
  const path = `/api/v1/accounts/${yen}/statements/${month}`;
  return bank.client.fetch('GET', path, { query, ...(accept ? { headers: { accept } } : {}) });
};

it('months join: each opens with what the one before it closed with, also over a month without transactions', async () => {
  const figures = [];
  for (const month of ['2026-01', '2026-02', '2026-03', '2026-04']) {
    const { body } = await bank.client.call('getStatement', { params: { id: yen, month } });
    expect(body.owner).toEqual({ id: owner, name: 'Alice Smith' });
    figures.push([
      body.opening_balance,
      body.transactions.map(({ balance }) => balance).join(' '),
      body.total_credits,
      body.total_debits,
      body.closing_balance,
    ]);
  }
  expect(figures).toEqual([
    ['0', '5000 3800', '5000', '1200', '3800'],
    ['3800', '-200', '0', '4000', '-200'],
    ['-200', '', '0', '0', '-200'],
    ['-200', '100', '300', '0', '100'],
  ]);
  const now = new Date().toISOString().slice(0, 7);
  const { body } = await bank.client.call('getStatement', { params: { id: yen, month: now } });
  expect([body.closing_balance, body.period.complete]).toEqual(['100', false]);
  const early = await bank.client.refused('getStatement', { params: { id: yen, month: '2025-12' } });
  expect(early.problem).toMatchObject({ code: 'month_before_account', first_month: '2026-01' });
});

it('a spreadsheet is a file of its own name, by the query or by Accept', async () => {
  for (const response of [
    await get('2026-01', 'format=csv', 'text/html'),
    await get('2026-01', '', 'text/csv'),
  ]) {
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('vary')).toBe('accept');
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="statement-${yen}-2026-01.csv"`,
    );
    const lines = (await response.text()).split('\r\n');
    expect(lines).toHaveLength(6);
    expect(lines[3]).toContain(",'=Rent,");
  }
});

it('a page is what a browser gets; it may load and run nothing', async () => {
  const response = await get('2026-02', '', 'text/html,application/xhtml+xml,*/*;q=0.8');
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  const page = await response.text();
  expect(page).toContain('Sofa &lt;red&gt;');
  expect(page).toContain('\u2212200');
});

it('transactions are found by what is asked for, and a cursor goes on within the same question only', async () => {
  const find = (query: Record<string, string | number>) =>
    bank.client.call('listAccountTransactions', { params: { id: yen }, query });
  const descriptions = async (query: Record<string, string | number>) =>
    (await find(query)).body.items.map(({ description }) => description);
  expect(await descriptions({ description: 'SOFA' })).toEqual(['Sofa <red>']);
  expect(await descriptions({ direction: 'CREDIT' })).toEqual(['Refund', 'Salary']);
  expect(await descriptions({ min_amount: 1200, max_amount: '4000' })).toEqual(['Sofa <red>', '=Rent']);
  const month = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T01:00:00+01:00' };
  expect(await descriptions(month)).toEqual(['=Rent', 'Salary']);
  const { body } = await find({ ...month, limit: 1 });
  const next = String(body.next_cursor);
  expect(await descriptions({ ...month, limit: 1, cursor: next })).toEqual(['Salary']);
  const other = { params: { id: yen }, query: { direction: 'DEBIT', cursor: next } };
  expect((await bank.client.refused('listAccountTransactions', other)).problem.code).toBe('invalid_cursor');
});
