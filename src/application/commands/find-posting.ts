/** Finds a posting of a transfer on one of its accounts, without the read models, which may not have seen it yet. */
import { bankAccountStream } from '../../domain/bank-account.ts';
import type { EventReader, Position, ReadStreamOptions } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Bank } from '../bank.ts';
import type { Posting } from './record-posting.ts';

/** Events of the account that are looked at first: who asks has mostly just caused the posting. */
const NEWEST_EVENTS = 100;

type Sources = Pick<Bank, 'events' | 'codec'>;

/**
 * Looks through the newest events of the account; if the posting is older, from where the transfer was requested on. That
 * place is found by halving, so a long history after it costs a few reads.
 * @param transferStream of the transfer that the posting is a leg of
 * @throws StoreError `corrupt` when there is none
 */
export async function findPosting(
  sources: Sources,
  accountId: string,
  transactionId: string,
  transferStream: string,
): Promise<Posting> {
  const { events } = sources;
  const stream = bankAccountStream(accountId);
  const newest = { direction: 'backwards', limit: NEWEST_EVENTS } as const;
  const found =
    (await findIn(sources, accountId, transactionId, newest)) ??
    (await findIn(sources, accountId, transactionId, {
      from: await firstRevisionAfter(events, stream, await beginningOf(events, transferStream)),
    }));
  if (found) return found;
  throw new StoreError('corrupt', `Account ${accountId} has lost its posting ${transactionId}.`);
}

async function findIn(
  { events, codec }: Sources,
  account_id: string,
  transactionId: string,
  options: ReadStreamOptions,
): Promise<Posting | undefined> {
  for await (const recorded of events.readStream(bankAccountStream(account_id), options)) {
    const { type, data } = codec.decode(recorded);
    if (type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
    if (data.transaction_id !== transactionId) continue;
    return { account_id, ...data, recorded_at: recorded.metadata.timestamp, revision: recorded.revision };
  }
  return undefined;
}

async function beginningOf(events: EventReader, stream: string): Promise<Position> {
  for await (const { position } of events.readStream(stream, { limit: 1 })) return position;
  throw new StoreError('corrupt', `The stream ${stream} has lost its first event.`);
}

/** The revision of the first event of a stream that comes after a position in the log. */
async function firstRevisionAfter(events: EventReader, stream: string, position: Position): Promise<number> {
  let low = 0;
  let high = 0;
  for await (const { revision } of events.readStream(stream, { direction: 'backwards', limit: 1 })) {
    high = revision + 1;
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    let isAfter = true;
    for await (const event of events.readStream(stream, { from: middle, limit: 1 })) {
      isAfter = event.position > position;
    }
    if (isAfter) high = middle;
    else low = middle + 1;
  }
  return low;
}
