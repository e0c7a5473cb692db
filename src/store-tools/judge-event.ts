/** Whether an event of a log that somebody has rewritten can be read, has the shape of its type, and can be applied. */
import { bankAccountType, personType } from '../application/bank.ts';
import { createBankCodec } from '../application/bank-codec.ts';
import { misshapen } from '../application/event-shapes.ts';
import { misnoted } from '../application/noted-currency.ts';
import { transferType } from '../application/transfer-process.ts';
import { BANK_ACCOUNT_EVENT_TYPES, BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_EVENT_TYPES, PERSON_STREAM_PREFIX } from '../domain/person.ts';
import { TRANSFER_EVENT_TYPES, TRANSFER_STREAM_PREFIX } from '../domain/transfer.ts';
import type { AggregateType } from '../event-sourcing/aggregate.ts';
import { stepOf } from '../event-sourcing/replay.ts';
import type { EventFault, EventJudge } from '../event-sourcing/segments/rewrite-check.ts';

/** What folds a stream, by what its name begins with. Others, such as what operators asked for, are no events of the bank. */
const KINDS = [
  { prefix: PERSON_STREAM_PREFIX, what: 'a person', types: PERSON_EVENT_TYPES, fold: personType },
  {
    prefix: BANK_ACCOUNT_STREAM_PREFIX,
    what: 'an account',
    types: BANK_ACCOUNT_EVENT_TYPES,
    fold: bankAccountType,
  },
  { prefix: TRANSFER_STREAM_PREFIX, what: 'a transfer', types: TRANSFER_EVENT_TYPES, fold: transferType },
] as readonly {
  readonly prefix: string;
  readonly what: string;
  readonly types: readonly BankEvent['type'][];
  readonly fold: Pick<AggregateType<unknown, BankEvent>, 'evolve'>;
}[];

/** @param defaultCurrency of accounts from before accounts had a currency */
export function eventJudge(defaultCurrency: string): EventJudge {
  const codec = createBankCodec(defaultCurrency);
  return (recorded, before) => {
    const kind = KINDS.find(({ prefix }) => recorded.stream.startsWith(prefix));
    if (!kind) return { state: undefined, ...malformed(misnoted(recorded)) };
    const step = stepOf({ codec, aggregate: kind.fold }, before?.state, recorded);
    const { event, after: state, failure } = step;
    // A fold does not ask whether an event is of another kind of stream: it would lose its state by it.
    if (event && !kind.types.includes(event.type)) {
      const message = `${event.type} is no event of ${kind.what}`;
      return { state: before?.state, fault: { kind: 'not_applicable', message } };
    }
    if (failure && (before || failure.kind !== 'not_applicable')) return { state, fault: failure };
    return { state, ...malformed(event && misshapen(event)) };
  };
}

function malformed(message: string | undefined): { readonly fault?: EventFault } {
  return message === undefined ? {} : { fault: { kind: 'malformed', message } };
}
