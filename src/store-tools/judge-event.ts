/** Whether an event of a log that somebody has rewritten can be read, has the shape of its type, and can be applied. */
import { bankAccountType, personType } from '../application/bank.ts';
import { createBankCodec } from '../application/bank-codec.ts';
import { misshapen } from '../application/event-shapes.ts';
import { transferType } from '../application/transfer-process.ts';
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_STREAM_PREFIX } from '../domain/person.ts';
import { TRANSFER_STREAM_PREFIX } from '../domain/transfer.ts';
import type { AggregateType } from '../event-sourcing/aggregate.ts';
import { stepOf } from '../event-sourcing/replay.ts';
import type { EventJudge } from '../event-sourcing/segments/rewrite-check.ts';

/** What folds a stream, by what its name begins with. Others, such as what operators asked for, are no events of the bank. */
const FOLDS = [
  [PERSON_STREAM_PREFIX, personType],
  [BANK_ACCOUNT_STREAM_PREFIX, bankAccountType],
  [TRANSFER_STREAM_PREFIX, transferType],
] as readonly (readonly [prefix: string, aggregate: Pick<AggregateType<unknown, BankEvent>, 'evolve'>])[];

/** @param defaultCurrency of accounts from before accounts had a currency */
export function eventJudge(defaultCurrency: string): EventJudge {
  const codec = createBankCodec(defaultCurrency);
  return (recorded, before) => {
    const aggregate = FOLDS.find(([prefix]) => recorded.stream.startsWith(prefix))?.[1];
    if (!aggregate) return { state: undefined };
    const { event, after: state, failure } = stepOf({ codec, aggregate }, before?.state, recorded);
    if (failure && (before || failure.kind !== 'not_applicable')) return { state, fault: failure };
    const message = event && misshapen(event);
    return message === undefined ? { state } : { state, fault: { kind: 'malformed', message } };
  };
}
