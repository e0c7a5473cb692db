/** Replays an account's stream step by step: what each event changed, what broke there, what today's rules would say. */
import { type BankAccountEvent, bankAccountStream } from '../../domain/bank-account.ts';
import type { BankEvent } from '../../domain/bank-event.ts';
import type { DomainEvent, EventCodec } from '../../event-sourcing/codec.ts';
import type { EventReader } from '../../event-sourcing/event-store.ts';
import { replay } from '../../event-sourcing/replay.ts';
import { changesBetween, type FieldChange } from '../account-moment.ts';
import { bankAccountType } from '../bank.ts';
import { type AccountStep, type Finding, InvariantWatch } from './invariants.ts';
import { type FindPosting, judgeByTodaysRules, type Verdict } from './todays-rules.ts';

export interface ReplayRequest {
  readonly accountId: string;
  /** First and last revision to show; what comes before is replayed all the same. */
  readonly from: number;
  readonly to: number;
  readonly byTodaysRules: boolean;
}

/** One event of an account, as it is shown. */
export interface ShownStep {
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  /** Business time, RFC 3339 UTC. */
  readonly at: string;
  readonly data: object;
  readonly changes: readonly FieldChange[];
  readonly findings: readonly Finding[];
  /** Missing unless it was asked for. */
  readonly today?: Verdict;
}

export interface ReplaySource {
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<BankEvent>;
}

/**
 * The steps that were asked for, with constant memory, up to the last revision of the request.
 * @throws StoreError when the store cannot read on
 */
export async function* replayAccount(
  source: ReplaySource,
  request: ReplayRequest,
): AsyncGenerator<ShownStep> {
  const { accountId, from, to, byTodaysRules } = request;
  const stream = bankAccountStream(accountId);
  const codec = source.codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
  const watch = new InvariantWatch();
  const steps = replay({ ...source, codec, aggregate: bankAccountType }, stream, { limit: to + 1 });
  for await (const step of steps) {
    const { revision } = step.recorded;
    if (revision > to) return;
    // The watch has to see what comes before, too.
    const findings = watch.check(step);
    if (revision < from) continue;
    const find = findIn(source, stream, revision);
    const today = byTodaysRules ? { today: await judged(step, find) } : {};
    yield { ...shown(step, findings), ...today };
  }
}

function shown({ recorded, before, after }: AccountStep, findings: readonly Finding[]): ShownStep {
  const { revision, id, type, metadata, data } = recorded;
  const changes = changesBetween(before, after);
  return { revision, event_id: id, type, at: metadata.timestamp, data, changes, findings };
}

async function judged({ event, before, failure }: AccountStep, find: FindPosting): Promise<Verdict> {
  if (!event || failure) return { kind: 'not_judged', reason: 'The event cannot be applied.' };
  return judgeByTodaysRules(event, before, find);
}

/** Few postings are undone, so each is looked up in the stream, and none is remembered. */
function findIn({ reader, codec }: ReplaySource, stream: string, before: number): FindPosting {
  return async (transactionId) => {
    for await (const recorded of reader.readStream(stream, { limit: before })) {
      if (recorded.revision >= before) return undefined;
      if (recorded.type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
      const event = codec.decode(recorded);
      if (event.type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
      if (event.data.transaction_id !== transactionId) continue;
      return { ...event.data, recorded_at: recorded.metadata.timestamp };
    }
    return undefined;
  };
}
