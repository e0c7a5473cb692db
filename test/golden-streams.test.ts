/**
 * Streams as programs of the past wrote them, with the document that each must go on folding to. The files are never
 * changed: a new version of an event, or a field that it gains, gets a stream of its own beside them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../src/application/bank-codec.ts';
import { BANK_ACCOUNT_EVENT_TYPES, evolveBankAccount } from '../src/domain/bank-account.ts';
import { evolvePerson, PERSON_EVENT_TYPES } from '../src/domain/person.ts';
import { evolveTransfer, TRANSFER_EVENT_TYPES } from '../src/domain/transfer.ts';
import type { DomainEvent } from '../src/event-sourcing/codec.ts';
import type { RecordedEvent } from '../src/event-sourcing/event-store.ts';
import { accounts } from '../src/projections/accounts.ts';
import { persons } from '../src/projections/persons.ts';
import { transfers } from '../src/projections/transfers.ts';
import { versionsUpTo } from './support/event-versions.ts';

interface GoldenStream {
  readonly aggregate_id: string;
  readonly events: readonly { readonly type: string; readonly data: object; readonly timestamp: string }[];
  /** Documents may gain fields; these must keep their values. */
  readonly document: object;
}

type Fold = (document: object | undefined, event: DomainEvent, lookup: object, id: string) => object;
type Evolve = (state: unknown, event: DomainEvent, at: string) => unknown;

/** What folds a stream, by the first word of its file's name. */
const KINDS: Readonly<Record<string, readonly [fold: Fold, evolve: Evolve]>> = {
  person: [persons.fold as unknown as Fold, evolvePerson as Evolve],
  account: [accounts.fold as unknown as Fold, evolveBankAccount as Evolve],
  transfer: [transfers.fold as unknown as Fold, evolveTransfer as Evolve],
};

const DIRECTORY = join(import.meta.dirname, 'golden-streams');
const GOLDEN = readdirSync(DIRECTORY).map((file) => {
  const golden = JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')) as GoldenStream;
  return [file.replace('.json', ''), golden] as const;
});
const codec = createBankCodec('USD');

function recordedEvents({ aggregate_id, events }: GoldenStream): RecordedEvent[] {
  return events.map(({ type, data, timestamp }, revision) => ({
    id: `${aggregate_id} ${revision}`,
    type,
    data,
    stream: `golden-${aggregate_id}`,
    revision,
    position: BigInt(revision + 1),
    recordedAt: timestamp,
    metadata: {
      aggregate_type: 'Golden',
      aggregate_id,
      timestamp,
      correlation_id: aggregate_id,
      causation_id: aggregate_id,
    },
  }));
}

describe.each(GOLDEN)('%s', (name, golden) => {
  const [fold, evolve] = KINDS[name.split('-')[0] as string] as (typeof KINDS)[string];

  it('is folded into a state, event by event', () => {
    const replay = () =>
      recordedEvents(golden).reduce<unknown>(
        (state, event) => evolve(state, codec.decode(event), event.metadata.timestamp),
        undefined,
      );
    expect(replay).not.toThrow();
  });

  it('is the same document as ever', () => {
    const document = recordedEvents(golden).reduce<object | undefined>(
      (folded, event) => fold(folded, codec.decode(event), { get: () => undefined }, golden.aggregate_id),
      undefined,
    );
    expect(document).toMatchObject(golden.document);
  });
});

it('there is a stream with every version of every event', () => {
  const written = new Set(GOLDEN.flatMap(([, { events }]) => events.map(({ type }) => type)));
  const current = [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES, ...TRANSFER_EVENT_TYPES];
  const missing = current.flatMap(versionsUpTo).filter((type) => !written.has(type));
  expect(missing).toEqual([]);
});
