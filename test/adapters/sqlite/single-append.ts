/** Does one append and says so on standard output; a system call trace shows what came before. */
import { writeSync } from 'node:fs';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { newEvents } from '../../support/event-builders.ts';

const [path = ''] = process.argv.slice(2);
const store = openSqliteEventStore({ kind: 'file', path });
writeSync(1, 'opened\n');
await store.append('stream', newEvents(1), 'no_stream');
writeSync(1, 'acknowledged\n');
process.kill(process.pid, 'SIGKILL');
