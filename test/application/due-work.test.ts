/** What the bank does by the clock: holds expire, months are posted, once, whoever does it how often and how late. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdExpiryTimer, interestTimer } from '../../src/application/due-work.ts';
import { RunningTimer, type Timer, type TimerProblem } from '../../src/application/timers.ts';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { ClockedBank } from '../support/clocked-bank.ts';
import { eventually } from '../support/eventually.ts';

const EVERY_MS = 1;
const { signal } = new AbortController();
let bank: ClockedBank;
beforeEach(() => {
  bank = new ClockedBank();
});
afterEach(() => bank.close());

const salary = (amount = '1000.00') => posted(randomUUID(), usd('CREDIT', amount, amount));
const terms: BankAccountEvent = {
  type: 'BankAccountTermsChangedDomainEventV1',
  data: { credit_rate: '2.5000', overdraft_rate: '0.0000', monthly_fee: '1.00' },
};
const hold = (expires_at?: string): BankAccountEvent => ({
  type: 'BankAccountHoldPlacedDomainEventV1',
  data: {
    hold_id: randomUUID(),
    amount: '5.00',
    currency: 'USD',
    description: 'hotel',
    ...(expires_at ? { expires_at } : {}),
  },
});
const released = async (id: string) =>
  (await bank.events(id)).filter(({ type }) => type === 'BankAccountHoldReleasedDomainEventV1');
const periods = async (id: string) =>
  (await bank.events(id)).flatMap(({ data }) => ('period' in data ? [data.period] : []));

describe('expired holds', () => {
  it('are recorded once, by several nodes at a time; others stay', async () => {
    const at = '2026-01-10T12:00:00.000Z';
    const due = await bank.account(at, created('o'), salary(), hold('2026-01-20T00:00:00.000Z'), hold());
    const later = await bank.account(at, created('o'), salary(), hold('2026-03-01T00:00:00.000Z'));
    await bank.project();
    const timers = [bank.node(), bank.node(), bank.node()].map((node) => holdExpiryTimer(node, EVERY_MS));
    await Promise.all(timers.map((timer) => timer.run(signal)));
    expect(await released(due)).toMatchObject([{ data: { reason: 'EXPIRED' } }]);
    expect(await released(later)).toEqual([]);
    bank.now = '2026-03-01T00:00:00.000Z';
    await timers[0]?.run(signal);
    expect(await released(later)).toHaveLength(1);
    expect(await released(due)).toHaveLength(1);
  });
});

describe('interest and fees', () => {
  it('of the last month are posted once, by several nodes at a time, and again after a restart', async () => {
    const ids = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push(await bank.account('2026-01-01T12:00:00.000Z', created('o'), terms, salary()));
    }
    await bank.project();
    const timers = [bank.node(), bank.node()].map((node) => interestTimer(node, EVERY_MS));
    await Promise.all(timers.map((timer) => timer.run(signal)));
    await interestTimer(bank.node(), EVERY_MS).run(signal);
    for (const id of ids) expect(await periods(id)).toEqual(['2026-01', '2026-01']);
  });

  it('of months that were missed come with the next run', async () => {
    const id = await bank.account('2025-10-01T12:00:00.000Z', created('o'), terms, salary());
    await bank.project();
    await interestTimer(bank.node(), EVERY_MS).run(signal);
    expect(new Set(await periods(id))).toEqual(new Set(['2025-10', '2025-11', '2025-12', '2026-01']));
  });

  it('are looked for once a month', async () => {
    const id = await bank.account('2026-01-01T12:00:00.000Z', created('o'), terms, salary());
    await bank.project();
    const timer = interestTimer(bank.node(), EVERY_MS);
    await timer.run(signal);
    bank.store.onAppend = () => Promise.reject(new Error('Nothing is due.'));
    await timer.run(signal);
    bank.store.onAppend = undefined;
    bank.now = '2026-03-01T00:00:00.000Z';
    await bank.project();
    await timer.run(signal);
    expect(new Set(await periods(id))).toEqual(new Set(['2026-01', '2026-02']));
  });

  it('wait until the read model knows every account of the month, however late it is', async () => {
    const first = await bank.account('2026-01-01T12:00:00.000Z', created('o'), terms, salary());
    await bank.project();
    const second = await bank.account('2026-01-31T23:59:59.999Z', created('o'), terms, salary());
    const timer = interestTimer(bank.node(), EVERY_MS);
    await timer.run(signal);
    expect(await periods(first)).toEqual([]);
    await bank.project();
    await bank.account('2026-02-01T00:00:00.000Z', created('o'));
    await timer.run(signal);
    expect(await periods(first)).toEqual(['2026-01', '2026-01']);
    expect(await periods(second)).toEqual(['2026-01', '2026-01']);
  });

  it('that an account refuses are told, and tried again', async () => {
    const full = await bank.account(
      '2026-01-01T12:00:00.000Z',
      created('o'),
      { ...terms, data: { ...terms.data, monthly_fee: '0.00' } } as BankAccountEvent,
      salary('999999999999999.99'),
    );
    const plain = await bank.account('2026-01-01T12:00:00.000Z', created('o'), terms, salary());
    await bank.project();
    const timer = interestTimer(bank.node(), EVERY_MS);
    await expect(timer.run(signal)).rejects.toThrow(`${full} (balance_limit_exceeded)`);
    expect(await periods(plain)).toHaveLength(2);
    await expect(timer.run(signal)).rejects.toThrow('2026-01');
  });
});

describe('a timer', () => {
  it('goes on after a failure, tells of it, and ends when it is told to', async () => {
    let runs = 0;
    const timer: Timer = {
      name: 'test',
      everyMs: EVERY_MS,
      async run() {
        runs += 1;
        if (runs === 1) throw new Error('not now');
      },
    };
    const problems: TimerProblem[] = [];
    const stopping = new AbortController();
    const running = new RunningTimer(timer, (problem) => problems.push(problem));
    expect(running.status()).toEqual({
      name: 'test',
      every_seconds: 0.001,
      last_run_at: null,
      last_error: null,
    });
    const ended = running.run(stopping.signal);
    await eventually('a second run', () => runs > 1 && running.status().last_error === null);
    stopping.abort();
    await ended;
    expect(problems).toMatchObject([{ timer: 'test', error: { message: 'not now' } }]);
    expect(running.status().last_run_at).toMatch(/^\d{4}-.*Z$/);
  });

  it('tells in its status why it failed', async () => {
    const failing: Timer = {
      name: 'test',
      everyMs: EVERY_MS,
      run: () => Promise.reject(new Error('not now')),
    };
    const stopping = new AbortController();
    const running = new RunningTimer(failing, () => {});
    const ended = running.run(stopping.signal);
    await eventually('the failure', () => running.status().last_error === 'not now');
    stopping.abort();
    await ended;
  });
});
