/** Replays an account's stream step by step: what each event changed, what broke there, what today's rules would say. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BankAccount, type BankAccountEvent, bankAccountStream } from '../../domain/bank-account.ts';
import type { BankEvent } from '../../domain/bank-event.ts';
import type { DomainEvent, EventCodec } from '../../event-sourcing/codec.ts';
import type { EventReader } from '../../event-sourcing/event-store.ts';
import { isTurn, replay } from '../../event-sourcing/replay.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { changesBetween, type FieldChange } from '../account-moment.ts';
import { type AccountState, accountState, bankAccountType } from '../bank.ts';
import { type AccountStep, type Finding, InvariantWatch } from './invariants.ts';
import type { ReplayPlaces } from './replay-places.ts';
import { type FindPosting, judgeByTodaysRules, type Verdict } from './todays-rules.ts';

export interface ReplayRequest {
  readonly accountId: string;
  /** First and last revision to show; what comes before is replayed all the same. */
  readonly from: number;
  readonly to: number;
  readonly byTodaysRules: boolean;
}

/** Of which account, and after which event, the step says. */
export type ShownState = Omit<AccountState, 'id' | 'revision'>;

/** One event of an account, as it is shown. */
export interface ShownStep {
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  /** Place in the whole log; it may not fit a JSON number. */
  readonly position: string;
  /** Business time, RFC 3339 UTC; when it was recorded, where the event does not tell. */
  readonly at: string;
  readonly data: Record<string, unknown>;
  /** Null is no account. */
  readonly before: ShownState | null;
  readonly after: ShownState | null;
  /** All fields that differ, those of single holds, months and reversals too. */
  readonly changes: FieldChange[];
  readonly findings: Finding[];
  /** Missing unless it was asked for. */
  readonly today?: Verdict;
}

export interface ReplaySource {
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<BankEvent>;
}

/**
 * The steps that were asked for, with constant memory, up to the last revision of the request.
 * @param places where earlier replays have been; missing: it begins with the first event
 * @throws StoreError when the store cannot read on
 */
export async function* replayAccount(
  source: ReplaySource,
  request: ReplayRequest,
  places?: ReplayPlaces,
): AsyncGenerator<ShownStep> {
  const { accountId, from, to, byTodaysRules } = request;
  const stream = bankAccountStream(accountId);
  const codec = source.codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
  const notes = await places?.begin(source.reader, accountId, from);
  const start = notes?.start;
  const watch = new InvariantWatch(start);
  const after = start && { after: { state: start.account, revision: start.revision } };
  const options = { ...after, limit: to - (start?.revision ?? -1) };
  try {
    for await (const step of replay({ ...source, codec, aggregate: bankAccountType }, stream, options)) {
      const { revision } = step.recorded;
      if (revision > to) return;
      // The watch has to see what comes before, too.
      const findings = watch.check(step);
      notes?.note(step, watch.place);
      if (revision < from) continue;
      const find = findIn(source, stream, revision);
      const today = byTodaysRules ? { today: await judged(step, find) } : {};
      yield { ...shown(step, findings), ...today };
    }
  } finally {
    // Also where whoever asked has enough, and reads no further.
    notes?.end();
  }
}

/** Whether there is something to look at: a finding, or that today's rules differ. */
export function isRemarkable({ findings, today }: ShownStep): boolean {
  return findings.length > 0 || isDifferent(today);
}

/** Whether today's rules would not have recorded the same. */
export function isDifferent(today: ShownStep['today']): boolean {
  return today !== undefined && today.kind !== 'same' && today.kind !== 'not_judged';
}

function shown({ recorded, before, after }: AccountStep, findings: Finding[]): ShownStep {
  const { revision, id, type, position, metadata, recordedAt, data } = recorded;
  return {
    revision,
    event_id: id,
    type,
    position: String(position),
    at: metadata.timestamp ?? recordedAt,
    data: data as Record<string, unknown>,
    before: shownState(before),
    after: shownState(after),
    changes: changesBetween(before, after),
    findings,
  };
}

function shownState(state: BankAccount | undefined): ShownState | null {
  if (!state) return null;
  const { id: _id, revision: _revision, ...rest } = accountState('', { state, revision: 0 });
  return rest;
}

async function judged({ event, before, failure }: AccountStep, find: FindPosting): Promise<Verdict> {
  if (!event || failure) return { kind: 'not_judged', reason: 'The event cannot be applied.' };
  try {
    return await judgeByTodaysRules(event, before, find);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    return { kind: 'not_judged', reason: 'What it holds cannot be asked for.' };
  }
}

/** Few postings are undone, so each is looked up in the stream, and none is remembered. */
function findIn({ reader, codec }: ReplaySource, stream: string, before: number): FindPosting {
  return async (transactionId) => {
    for await (const recorded of reader.readStream(stream, { limit: before, unreadable: 'handed_on' })) {
      if (recorded.revision >= before) return undefined;
      if (isTurn(recorded.revision)) await nextTurn();
      if (recorded.type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
      const event = codec.decode(recorded);
      if (event.type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
      if (event.data.transaction_id !== transactionId) continue;
      return { ...event.data, recorded_at: recorded.metadata.timestamp };
    }
    return undefined;
  };
}
