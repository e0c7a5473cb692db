/** What a reactor remembers, on its way into a backup and back: through ports, whatever store keeps it. */
import type { Position } from '../event-store.ts';
import { type HeldStream, reactorCollection } from '../reactor-journal.ts';
import type { DeadLetter, ReadModelChanges, ReadModelReader, ReadModelStore } from '../read-model-store.ts';
import type { ReactorRecord } from './backup-state.ts';

const PAGE = 500;

/**
 * Everything that a reactor remembers. The checkpoint comes first: what is parked or delivered meanwhile lies behind it,
 * and would be tried again.
 */
export async function* readReactor(name: string, store: ReadModelReader): AsyncGenerator<ReactorRecord> {
  const collection = reactorCollection(name);
  const checkpoint = (await store.checkpoints()).find(({ projection }) => projection === name);
  if (!checkpoint) return;
  yield { kind: 'reactor', name, position: checkpoint.position };
  for (let after: DeadLetter | undefined; ; ) {
    const letters = await store.listDeadLetters({
      projection: name,
      limit: PAGE,
      ...(after ? { after } : {}),
    });
    for (const letter of letters) yield { kind: 'parked', letter };
    after = letters.at(-1);
    if (letters.length < PAGE) break;
  }
  for (let after: HeldRecord['stored'] | undefined; ; ) {
    const where = { state: 'held' };
    const order = 'oldest_first';
    const page = await store.find(collection, { where, order, limit: PAGE, ...(after ? { after } : {}) });
    for (const stored of page) yield { kind: 'held', reactor: name, stored };
    after = page.at(-1);
    if (page.length < PAGE) break;
  }
}

type HeldRecord = Extract<ReactorRecord, { kind: 'held' }>;

/**
 * Writes what reactors remember into a store, for another log that is the same up to a position: what was delivered is
 * not delivered again, what was parked stays parked, and events beyond the position are not known.
 * @param storeId of that log; whatever the store held of another one is dropped
 */
export async function writeReactors(
  records: AsyncIterable<ReactorRecord>,
  { store, storeId, last }: { store: ReadModelStore; storeId: string; last: Position },
): Promise<void> {
  let batch: ReactorRecord[] = [];
  for await (const record of records) {
    if (record.kind === 'reactor') await store.prepare([reactorCollection(record.name)], storeId);
    if (isBeyond(record, last)) continue;
    batch.push(record);
    if (batch.length < PAGE) continue;
    await store.commit(changesOf(batch, last));
    batch = [];
  }
  if (batch.length > 0) await store.commit(changesOf(batch, last));
}

function isBeyond(record: ReactorRecord, last: Position): boolean {
  if (record.kind === 'parked') return record.letter.position > last;
  return record.kind === 'held' && BigInt((record.stored.document as HeldStream).held_by) > last;
}

function changesOf(records: readonly ReactorRecord[], last: Position): ReadModelChanges {
  return {
    writes: records.flatMap((record) =>
      record.kind === 'held'
        ? [{ collection: reactorCollection(record.reactor), document: record.stored }]
        : [],
    ),
    deadLetters: records.flatMap((record) => (record.kind === 'parked' ? [record.letter] : [])),
    checkpoints: records.flatMap((record) => {
      if (record.kind !== 'reactor') return [];
      const { name, position } = record;
      const { version } = reactorCollection(name);
      return [{ projection: name, version, position: position < last ? position : last }];
    }),
  };
}
