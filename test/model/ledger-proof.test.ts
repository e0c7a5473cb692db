/** The proof of the ledger finds what is wrong in a log: here each fault is written into one by hand. */
import { describe, expect, it } from 'vitest';
import { bank, type Forger } from './forger.ts';
import { proveLedger, type RawEvent } from './ledger-proof.ts';

const refused = (leg: string) => ({ transfer_id: 't', leg, code: 'account_frozen', detail: '' });

describe('a log in which all is well', () => {
  it('is proven, with what is in the bank and what came in', async () => {
    const log = bank()
      .hold(100)
      .capture(60, 40)
      .request(200)
      .leg('a', -200)
      .transfer('Debited', { transaction_id: 'a-200' })
      .leg('b', 200)
      .transfer('Credited', { transaction_id: 'b200' })
      .transfer('Completed')
      .post('a', 'FEE', -900, { period: '2026-01' })
      .post('b', 'INTEREST', 3)
      .post('b', 'REVERSAL', -3, { reverses_transaction_id: 'b/13' });
    const proof = await proveLedger(log.events);
    expect(proof.violations).toEqual([]);
    expect([...proof.unknownTypes]).toEqual([]);
    expect(proof.unfinishedTransfers).toEqual([]);
    expect(proof.currencies.get('JPY')).toEqual({
      deposits: 1000n,
      interest: 3n,
      withdrawals: 60n,
      fees: 900n,
      reversals: -3n,
      balances: 40n,
      inFlight: 0n,
    });
    expect(proof.postings.get('c')).toEqual({ accountId: 'a', type: 'HOLD', change: -60n });
  });

  it('may have transfers that were taken back in parts, one of which did not arrive', async () => {
    const log = bank().transferred();
    log
      .reversal('r', 150)
      .givenBack('r', 150)
      .takenBack('r', 150)
      .noted('r', 150)
      .transfer('Completed', {}, 'r');
    log.reversal('s', 50).givenBack('s', 50).restored('s', 50);
    log.reversal('u', 50).givenBack('u', 50).takenBack('u', 50).noted('u', 50).transfer('Completed', {}, 'u');
    const proof = await proveLedger(log.events);
    expect(proof).toMatchObject({ violations: [], unfinishedTransfers: [] });
    expect([...proof.unknownTypes]).toEqual([]);
    expect(proof.currencies.get('JPY')).toMatchObject({ balances: 1000n, reversals: 0n, inFlight: 0n });
  });

  it('may end while money is on its way', async () => {
    const proof = await proveLedger(bank().request(200).leg('a', -200).events);
    expect(proof).toMatchObject({ violations: [], unfinishedTransfers: ['t'] });
    expect(proof.currencies.get('JPY')).toMatchObject({ balances: 800n, inFlight: 200n });
  });

  it('lets a hold that has expired go beside the first thing that happens then', async () => {
    const log = bank().hold(1000, { expires_at: '2026-02-01T00:00:00.000Z' });
    log.on('2026-02-01T00:00:00.000Z').under('k').release(1000, 'EXPIRED').post('a', 'WITHDRAWAL', -1000);
    expect((await proveLedger(log.events)).violations).toEqual([]);
  });
});

const FAULTS: Readonly<Record<string, [Forger, string]>> = {
  'a balance that does not follow': [
    bank().post('a', 'DEPOSIT', 5, { balance: '1004' }),
    'states a balance of 1004',
  ],
  'a withdrawal of what is not there': [bank().post('a', 'WITHDRAWAL', -1001), 'leaves -1 available'],
  'a withdrawal of what is held': [bank().hold(1).post('a', 'WITHDRAWAL', -1000), 'leaves -1 available'],
  'a refund that came twice': [
    bank()
      .request(200)
      .leg('a', -200)
      .transfer('Debited', { transaction_id: 'a-200' })
      .account('b', 'TransferRefused', refused('CREDIT'))
      .leg('a', 200)
      .post('a', 'TRANSFER', 200, { transfer_id: 't' }),
    'REFUND was settled twice',
  ],
  'money that came of nothing': [bank().request(200).leg('b', 200), 'not under way'],
  'a credit and a refund': [bank().request(9).leg('a', -9).leg('b', 9).leg('a', 9), 'not under way'],
  'a leg of another amount': [bank().request(9).leg('a', -8), 'a leg is of 8'],
  'a leg that was refused and posted': [
    bank().request(9).account('a', 'TransferRefused', refused('DEBIT')).leg('a', -9),
    'DEBIT was settled twice',
  ],
  'a transfer that completes without its credit': [
    bank()
      .request(9)
      .leg('a', -9)
      .transfer('Debited', { transaction_id: 'a-9' })
      .transfer('Credited', { transaction_id: 'x' }),
    'the account says undefined',
  ],
  'a transfer that ends twice': [
    bank().request(9).transfer('Rejected').transfer('Rejected'),
    'Rejected came after Rejected',
  ],
  'a hold that was captured and released': [bank().hold(5).capture(5, 0).release(5), 'is not open'],
  'a capture of more than was held': [bank().hold(5).capture(6, 0), 'ended with 6 taken'],
  'a capture without its posting': [
    bank()
      .hold(5)
      .account('a', 'HoldCaptured', { hold_id: 'h', captured_amount: '5', released_amount: '0' })
      .post('a', 'DEPOSIT', 1),
    'captured without a posting',
  ],
  'a hold that was used after its time': [
    bank().hold(5, { expires_at: '2026-02-01T00:00:00.000Z' }).on('2026-02-01T00:00:00.000Z').capture(5, 0),
    'after its time',
  ],
  'a hold that expired too early': [
    bank().hold(5, { expires_at: '2026-02-01T00:00:00.000Z' }).release(5, 'EXPIRED'),
    'before its time',
  ],
  'a debit beyond the limit at once': [
    bank().limits(10, null).post('a', 'WITHDRAWAL', -11),
    'per transaction',
  ],
  'debits beyond the limit of a day': [
    bank().limits(null, 10).post('a', 'WITHDRAWAL', -6).hold(5),
    'brings the day to 11',
  ],
  'a deposit on an account frozen for credits': [
    bank().account('a', 'Frozen', { scope: 'CREDITS' }).post('a', 'DEPOSIT', 1),
    'frozen for credits',
  ],
  'a withdrawal from an account that is frozen': [
    bank().account('a', 'Frozen', { scope: 'ALL' }).post('a', 'WITHDRAWAL', -1),
    'frozen for debits',
  ],
  'a posting on a closed account': [
    bank().account('b', 'Closed', { final_balance: '0' }).post('b', 'DEPOSIT', 1),
    'on a closed account',
  ],
  'an account that was closed with money in it': [
    bank().account('a', 'Closed', { final_balance: '0' }),
    'closed with a balance',
  ],
  'an overdraft below what is used': [
    bank().hold(1000).account('a', 'OverdraftLimitChanged', { old_limit: '5', new_limit: '0' }),
    'the overdraft was 0',
  ],
  'a reversal of more than the original': [
    bank()
      .post('a', 'REVERSAL', -600, { reverses_transaction_id: 'a/1' })
      .post('a', 'DEPOSIT', 600)
      .post('a', 'REVERSAL', -401, { reverses_transaction_id: 'a/1' }),
    '1001 of a/1 is undone',
  ],
  'a transfer that is taken back by more than it was': [
    bank().transferred().reversal('r', 150).givenBack('r', 150).reversal('s', 51).givenBack('s', 51),
    '201 of b200 is undone',
  ],
  'a reversal that whose refund restores something else': [
    bank().transferred().reversal('r', 200).givenBack('r', 200).restored('r', 200, 'a-200'),
    'REFUND restores a-200 instead of b200',
  ],
  'a reversal whose money arrived twice': [
    bank().transferred().reversal('r', 9).givenBack('r', 9).takenBack('r', 9).takenBack('r', 9),
    'CREDIT was settled twice',
  ],
  'a reversal that undoes something else': [
    bank().transferred().reversal('r', 9).post('b', 'REVERSAL', -9, {
      transfer_id: 'r',
      reverses_transaction_id: 'a-200',
    }),
    'DEBIT undoes a-200 instead of b200',
  ],
  'a reversal of a transfer that is not complete': [
    bank().request(200).leg('a', -200).reversal('r', 9),
    'takes back t, which is not complete',
  ],
  'a reversal of a reversal': [
    bank()
      .transferred()
      .reversal('r', 9)
      .givenBack('r', 9)
      .takenBack('r', 9)
      .noted('r', 9)
      .transfer('Completed', {}, 'r')
      .transfer(
        'Requested',
        { from_account_id: 'a', to_account_id: 'b', amount: '9', reverses: { transfer_id: 'r' } },
        's',
      ),
    'takes back r, which is a reversal',
  ],
  'a reversal that goes another way': [
    bank()
      .transferred()
      .transfer(
        'Requested',
        { from_account_id: 'a', to_account_id: 'b', amount: '9', reverses: { transfer_id: 't' } },
        'r',
      ),
    'does not go the way back',
  ],
  'a reversal that is complete before the original knows': [
    bank().transferred().reversal('r', 9).givenBack('r', 9).takenBack('r', 9).transfer('Completed', {}, 'r'),
    't does not know of it',
  ],
  'a reversal that is noted before the money has arrived': [
    bank().transferred().reversal('r', 9).givenBack('r', 9).noted('r', 9),
    'whose money has not arrived',
  ],
  'a reversal that is noted twice': [
    bank().transferred().reversal('r', 9).givenBack('r', 9).takenBack('r', 9).noted('r', 9).noted('r', 9),
    'note of reversal r twice',
  ],
  'a reversal that is noted with another amount': [
    bank().transferred().reversal('r', 9).givenBack('r', 9).takenBack('r', 9).noted('r', 8),
    'of another amount',
  ],
  'one side of a transfer that is undone by itself': [
    bank().transferred().post('b', 'REVERSAL', -9, { reverses_transaction_id: 'b200' }),
    'undoes one side of a transfer',
  ],
  'a month that was posted twice': [
    bank().post('a', 'FEE', -1, { period: '2026-01' }).post('a', 'FEE', -1, { period: '2026-01' }),
    'was posted twice',
  ],
  'a transaction that is there twice': [
    bank().post('a', 'DEPOSIT', 1, { transaction_id: 'x' }).post('b', 'DEPOSIT', 1, { transaction_id: 'x' }),
    'in the log twice',
  ],
  'a key with two effects at once': [
    bank().under('k').post('a', 'DEPOSIT', 1).post('a', 'DEPOSIT', 1),
    'key k had 2 effects',
  ],
  'a second name that two operations have': [
    bank().under('k', 'r').post('a', 'DEPOSIT', 1).under('l', 'r').post('a', 'DEPOSIT', 1),
    'key r had 2 effects',
  ],
  'a key that was used again': [
    bank().under('k').post('a', 'DEPOSIT', 1).on('2026-02-01T00:00:00.000Z').post('a', 'DEPOSIT', 1),
    'key k was used again',
  ],
};

it.each(Object.entries(FAULTS))('finds %s', async (_what, [log, found]) => {
  const { violations } = await proveLedger(log.events);
  expect(violations.join('\n')).toContain(found);
});

it('finds a gap in a stream, and a log out of order', async () => {
  const { events } = bank();
  const without = await proveLedger(events.filter(({ revision }) => revision === 0));
  expect(without.violations).toEqual([]);
  const gap = await proveLedger(events.map((event) => ({ ...event, revision: event.revision * 2 })));
  expect(gap.violations.join()).toContain('revision 1 is missing');
  const backwards = await proveLedger([...events.slice(0, 2), { ...events[2], position: 1n } as RawEvent]);
  expect(backwards.violations.join()).toContain('came after position 2');
});

it('says what it knows nothing of', async () => {
  const { unknownTypes } = await proveLedger(bank().account('a', 'Gilded').post('a', 'GIFT', 1).events);
  expect([...unknownTypes]).toEqual([
    'BankAccountGildedDomainEventV1',
    'BankAccountTransactionRecordedDomainEventV1 GIFT',
  ]);
});
