/** Query for what changed in an account between two moments: the fields before and after, and the events in between. */
import { z } from 'zod';
import { type BankAccount, type BankAccountEvent, bankAccountStream } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { DomainEvent, EventCodec } from '../../event-sourcing/codec.ts';
import { replay, stateAfter } from '../../event-sourcing/replay.ts';
import { changesBetween, type FieldChange, type MomentPlace, momentPlace } from '../account-moment.ts';
import { type Bank, bankAccountType } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { invalidCursor, pageFields, revisionOfCursor } from './paging.ts';
import { findMoment, instant, revisionNumber, type TravellingBank } from './point-in-time.ts';
import { type EventEnvelope, toEnvelope } from './streams.ts';

export const changesFields = z.strictObject({
  from: instant('What changed after this instant, with its offset from UTC. Default: from the opening on.'),
  from_revision: revisionNumber('What changed after the event of this revision. Instead of `from`.'),
  to: instant('Up to this instant; an event at exactly it counts. Default: now.'),
  to_revision: revisionNumber('Up to the event of this revision. Instead of `to`.'),
  ...pageFields,
});

export interface ChangeEvent extends EventEnvelope {
  /** What this event alone changed. */
  readonly changes: FieldChange[];
}

export interface AccountChanges {
  readonly account_id: string;
  /** Revision and time are null when the account was not open then. */
  readonly from: {
    readonly at: string | null;
    readonly revision: number | null;
    readonly changed_at: string | null;
  };
  readonly to: MomentPlace;
  /** What is different, all events together. */
  readonly changes: FieldChange[];
  readonly event_count: number;
  /** One page of the events, oldest first. */
  readonly events: ChangeEvent[];
  readonly next_cursor?: string;
}

const changesInput = accountIdFields.extend(changesFields.shape);
type Input = z.output<typeof changesInput>;
type ChangesBank = TravellingBank & Pick<Bank, 'codec'>;

export const GetAccountChanges = query<AccountChanges>()('GetAccountChanges', changesInput);

/** A moment to compare: nothing before the account was open. */
interface Side {
  readonly at: string | null;
  readonly moment:
    | { readonly state: BankAccount; readonly revision: number; readonly timestamp: string }
    | undefined;
}

/** Rejects as `findMoment` does, and with `invalid_range` or `invalid_cursor`. */
export function getAccountChangesHandler(bank: ChangesBank): Handler<Input, AccountChanges> {
  return async (input) => {
    const { id, limit } = input;
    const to = await findMoment(bank, id, {
      time: input.to,
      revision: input.to_revision,
      fields: { time: 'to', revision: 'to_revision' },
    });
    if (!to.ok) return to;
    const from = await sideFrom(bank, input);
    if (!from.ok) return from;
    const first = (from.value.moment?.revision ?? -1) + 1;
    const last = to.value.moment.revision;
    if (first > last + 1 || isLater(from.value.at, to.value.at)) return endsBeforeItBegins(input);
    const start = input.cursor === undefined ? first : revisionOfCursor(input.cursor, first, last);
    if (start === undefined) return invalidCursor();
    const end = Math.min(start + limit - 1, last);
    return accept({
      account_id: id,
      from: placeOf(from.value),
      to: momentPlace(to.value.moment, to.value.at),
      changes: changesBetween(from.value.moment?.state, to.value.moment.state),
      event_count: last + 1 - first,
      events: await eventsBetween(bank, id, start, end),
      ...(end < last ? { next_cursor: String(end + 1) } : {}),
    });
  };
}

/** Before the account was open there was nothing, which compares as well as any state. */
async function sideFrom(bank: TravellingBank, input: Input): Promise<Decision<Side>> {
  const { from: time, from_revision: revision } = input;
  if (time === undefined && revision === undefined) return accept({ at: null, moment: undefined });
  const fields = { time: 'from', revision: 'from_revision' };
  const found = await findMoment(bank, input.id, { time, revision, fields });
  if (found.ok || found.rejection.code !== 'account_not_open_yet') return found;
  return accept({ at: new Date(Date.parse(String(time))).toISOString(), moment: undefined });
}

function isLater(from: string | null, to: string | null): boolean {
  return from !== null && to !== null && Date.parse(from) > Date.parse(to);
}

function endsBeforeItBegins({ to, from_revision }: Input) {
  const field = to === undefined ? (from_revision === undefined ? 'from' : 'from_revision') : 'to';
  return reject('invalid_range', 'The range ends before it begins.', { field });
}

function placeOf({ at, moment }: Side): AccountChanges['from'] {
  return moment ? momentPlace(moment, at) : { at, revision: null, changed_at: null };
}

async function eventsBetween(
  bank: ChangesBank,
  id: string,
  start: number,
  end: number,
): Promise<ChangeEvent[]> {
  const before = start === 0 ? undefined : await bank.pastAccounts.at(id, { revision: start - 1 });
  const after = before?.kind === 'found' ? before.moment : undefined;
  const codec = bank.codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
  const sources = { reader: bank.events, codec, aggregate: bankAccountType };
  const options = { limit: end - start + 1, ...(after ? { after } : {}) };
  const shown: ChangeEvent[] = [];
  for await (const step of replay(sources, bankAccountStream(id), options)) {
    const changes = changesBetween(step.before, stateAfter(step));
    shown.push({ ...toEnvelope(step.recorded), changes });
  }
  return shown;
}
