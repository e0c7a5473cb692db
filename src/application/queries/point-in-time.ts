/** How a query names a moment of an account, and how the moment is found. */
import { z } from 'zod';
import { type BankAccount, bankAccountStream } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Found, Moment } from '../../event-sourcing/temporal-replay.ts';
import { accountNotFound, type Bank } from '../bank.ts';

const REVISION = /^\d{1,15}$/;
/** In a URL a plus sign is a space, and many send the one of an offset as it is. */
const LOST_PLUS = / (?=\d\d:\d\d$)/;

/** Of year 0, in milliseconds since 1970. */
const FIRST_INSTANT = Date.parse('0000-01-01T00:00:00Z');

/** A time as it was meant. */
export function withOffset(sent: string): string {
  return sent.toUpperCase().replace(LOST_PLUS, '+');
}

export const instant = (description: string) =>
  z
    .string()
    .overwrite(withOffset)
    .check(z.iso.datetime({ offset: true }))
    .optional()
    .meta({ description });

export const revisionNumber = (description: string) =>
  z.coerce
    .string()
    .refine((value) => REVISION.test(value), {
      message: 'must be a whole number from 0 on.',
      params: { code: 'out_of_range' },
    })
    .transform(Number)
    .optional()
    .meta({ description });

export type TravellingBank = Pick<Bank, 'accounts' | 'pastAccounts' | 'events' | 'now'>;

/** A moment as a client names it, and the names of the two parameters: errors point at them. */
export interface AskedPoint {
  readonly time: string | undefined;
  readonly revision: number | undefined;
  readonly fields: { readonly time: string; readonly revision: string };
}

export interface FoundMoment {
  readonly moment: Moment<BankAccount>;
  /** The instant that was asked for, in UTC with milliseconds. */
  readonly at: string | null;
}

/**
 * Finds the moment; without a time and a revision it is the newest.
 *
 * Rejects with `conflicting_fields`, `invalid_time`, `time_in_future`, `account_not_found`, `account_not_open_yet`,
 * `revision_not_found` or `history_removed`.
 */
export async function findMoment(
  bank: TravellingBank,
  id: string,
  { time, revision, fields }: AskedPoint,
): Promise<Decision<FoundMoment>> {
  if (time !== undefined && revision !== undefined) {
    return reject('conflicting_fields', `Give ${fields.time} or ${fields.revision}, not both.`, {
      field: fields.revision,
    });
  }
  if (time !== undefined) {
    const at = pastInstant(bank, time, fields.time);
    if (!at.ok) return at;
    return momentOf(await bank.pastAccounts.at(id, { time: at.value }), id, fields.time, at.value);
  }
  if (revision !== undefined) {
    return momentOf(await bank.pastAccounts.at(id, { revision }), id, fields.revision, null);
  }
  return newestMoment(bank, id);
}

/** The instant in UTC. What is yet to come nobody knows. */
export function pastInstant({ now }: Pick<Bank, 'now'>, text: string, field: string): Decision<string> {
  const time = Date.parse(text);
  // An offset may reach into a year that an instant in UTC cannot be written with.
  if (Number.isNaN(time) || time < FIRST_INSTANT)
    return reject('invalid_time', `${field} is no time that exists.`, { field });
  const present = now();
  if (time <= present.getTime()) return accept(new Date(time).toISOString());
  const facts = { now: present.toISOString() };
  return reject('time_in_future', `${field} is later than now, ${facts.now}.`, { field, facts });
}

function momentOf(
  found: Found<BankAccount>,
  id: string,
  field: string,
  at: string | null,
): Decision<FoundMoment> {
  switch (found.kind) {
    case 'found':
      return accept({ moment: found.moment, at });
    case 'missing':
      return accountNotFound(id);
    case 'before_first': {
      const facts = { opened_at: found.firstTime };
      return reject('account_not_open_yet', `The account was opened at ${found.firstTime}.`, {
        field,
        facts,
      });
    }
    case 'beyond_last':
      return revisionNotFound(found.lastRevision, field);
    case 'removed': {
      const facts = { first_revision: found.firstRevision };
      return reject('history_removed', `The account's events begin at revision ${found.firstRevision}.`, {
        field,
        facts,
      });
    }
  }
}

/** @param field the parameter that names a revision beyond the last one */
export function revisionNotFound(last_revision: number, field: string) {
  const facts = { last_revision };
  return reject('revision_not_found', `The account is at revision ${last_revision}.`, { field, facts });
}

/** The state that commands decide on, which is mostly in memory; only its last event is read. */
async function newestMoment(bank: TravellingBank, id: string): Promise<Decision<FoundMoment>> {
  const newest = await bank.accounts.load(id).catch((error: unknown) => whereItBroke(bank, id, error));
  if (!newest) return accountNotFound(id);
  const { revision } = newest;
  for await (const last of bank.events.readStream(bankAccountStream(id), { from: revision, limit: 1 })) {
    return accept({ moment: { ...newest, timestamp: last.metadata.timestamp }, at: null });
  }
  return momentOf(await bank.pastAccounts.at(id, { revision }), id, 'revision', null);
}

const END_OF_TIME = '9999-12-31T23:59:59.999Z';

/** A fold that failed does not say at which event; a replay does. @throws StoreError that names the event, or the error */
async function whereItBroke(bank: TravellingBank, id: string, error: unknown): Promise<never> {
  if (!(error instanceof StoreError)) await bank.pastAccounts.at(id, { time: END_OF_TIME });
  throw error;
}
