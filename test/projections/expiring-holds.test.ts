/** What an account's document says at an instant: holds whose time is over count no more, recorded or not. */
import { describe, expect, it } from 'vitest';
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import type { Recorded } from '../../src/event-sourcing/codec.ts';
import type { Lookup } from '../../src/event-sourcing/projection.ts';
import { type AccountDocument, accountAt, accounts } from '../../src/projections/accounts.ts';
import { created, posted, timeOf, usd } from '../support/bank-events.ts';
import { newMetadata } from '../support/event-builders.ts';

const lookup = { get: () => undefined } as unknown as Lookup;
const EXPIRY = '2026-01-10T00:00:00.000Z';
const JUST_BEFORE = '2026-01-09T23:59:59.999Z';

function documentOf(...events: readonly BankAccountEvent[]): AccountDocument {
  const document = events.reduce<AccountDocument | undefined>((folded, event, revision) => {
    const metadata = newMetadata({ aggregate_id: 'a-1', timestamp: timeOf(revision) });
    return accounts.fold(
      folded,
      { ...event, metadata, revision } as Recorded<BankAccountEvent>,
      lookup,
      'a-1',
    );
  }, undefined);
  return document as AccountDocument;
}

const opened = [
  created('p-1', { overdraft_limit: '10.00' }),
  posted('t-1', usd('CREDIT', '100.00', '100.00')),
] as const;
const hold = (hold_id: string, amount: string, expires_at?: string): BankAccountEvent => ({
  type: 'BankAccountHoldPlacedDomainEventV1',
  data: { hold_id, amount, currency: 'USD', description: 'hotel', ...(expires_at ? { expires_at } : {}) },
});
const released = (hold_id: string, amount: string): BankAccountEvent => ({
  type: 'BankAccountHoldReleasedDomainEventV1',
  data: { hold_id, amount, currency: 'USD', reason: 'EXPIRED' },
});
const captured: BankAccountEvent = {
  type: 'BankAccountHoldCapturedDomainEventV1',
  data: {
    hold_id: 'h-1',
    transaction_id: 't-2',
    captured_amount: '5.00',
    released_amount: '0.00',
    currency: 'USD',
  },
};
const figures = (document: AccountDocument, now: string) => {
  const { account, settled } = accountAt(document, now);
  return [account.held, account.available_balance, settled];
};

describe('an account with holds', () => {
  const document = documentOf(...opened, hold('h-1', '5.00', EXPIRY), hold('h-2', '20.00'));

  it('is as it is recorded until one of them expires', () => {
    expect(figures(document, JUST_BEFORE)).toEqual(['25.00', '85.00', true]);
  });

  it('holds what is left from that millisecond on', () => {
    expect(figures(document, EXPIRY)).toEqual(['20.00', '90.00', false]);
  });

  it('says the same once it is recorded', () => {
    const recorded = documentOf(
      ...opened,
      hold('h-1', '5.00', EXPIRY),
      hold('h-2', '20.00'),
      released('h-1', '5.00'),
    );
    expect(figures(recorded, EXPIRY)).toEqual(['20.00', '90.00', true]);
    expect(recorded).not.toHaveProperty('expiring_holds');
  });

  it('takes a hold that ended otherwise off no second time', () => {
    const ended = documentOf(
      ...opened,
      hold('h-1', '5.00', EXPIRY),
      hold('h-3', '1.00', EXPIRY),
      captured,
      posted('t-2', usd('DEBIT', '5.00', '95.00')),
    );
    expect(figures(ended, JUST_BEFORE)).toEqual(['1.00', '104.00', true]);
    expect(figures(ended, EXPIRY)).toEqual(['0.00', '105.00', false]);
  });

  it('shows nothing of how that is known', () => {
    const { account } = accountAt(document, EXPIRY);
    expect(account).not.toHaveProperty('expiring_holds');
    expect(account).not.toHaveProperty('holder');
  });
});
