/** Appends with many concurrent writers and reports each try and answer on standard output, until it is killed. */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { collect, newEvent } from '../../support/event-builders.ts';
import type { CrashReport, TriedAppend } from './crash-report.ts';

const WRITERS = 24;

const [path = ''] = process.argv.slice(2);
const store = openSqliteEventStore({ kind: 'file', path });
report({ kind: 'opened' });
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(`writer-${writer}`)));

/** Goes on where the stream ends, each append at the revision of the one before. */
async function write(stream: string): Promise<void> {
  const [newest] = await collect(store.readStream(stream, { direction: 'backwards', limit: 1 }));
  let revision = newest?.revision ?? -1;
  for (let round = 0; ; round += 1) {
    const tried: TriedAppend = {
      id: randomUUID(),
      stream,
      expected: revision < 0 ? 'no_stream' : revision,
      eventIds: Array.from({ length: 1 + (round % 4) }, () => randomUUID()),
    };
    report({ kind: 'tried', append: tried });
    const answer = await store.append(stream, eventsOf(tried), tried.expected);
    if (!answer.ok) throw new Error(`${stream} was at ${answer.conflict.actual}, not at ${revision}.`);
    revision = answer.revision;
    report({ kind: 'acknowledged', id: tried.id, revision, position: String(answer.position) });
  }
}

function eventsOf({ id, eventIds }: TriedAppend) {
  return eventIds.map((eventId) => newEvent({ id: eventId, data: { append: id, of: eventIds.length } }));
}

/** Written at once: nothing that was reported waits in a buffer when the process dies. */
function report(line: CrashReport): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
