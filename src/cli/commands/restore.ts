/** `restore`: writes a backup, or its part up to a point in time, where there is no bank. */
import { join } from 'node:path';
import { type BankStores, type RestorePoint, restoreStore } from '../../store-tools/back-up-stores.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { instantOf } from '../instant.ts';
import { move } from '../move.ts';
import { namedPath } from '../named-path.ts';
import { readConfig } from '../project.ts';
import { formatCount, paint, print, printJson } from '../terminal.ts';

const POSITION = /^[1-9]\d{0,15}$/;

export const restore = defineCommand({
  name: 'restore',
  summary: 'Restore a backup into an empty data directory, as it was last or at a point in time.',
  details: `Reads the whole backup first; nothing is written where anything of it is damaged, and nothing is ever overwritten:
move a bank away before. Then writes, reads again and compares. After an interruption call it again. The bank starts
with the read models empty and folds them anew. A relative directory lies in the project's. See docs/backup.md.`,
  options: {
    to: {
      type: 'string',
      value: 'TIME|POSITION',
      help: 'Up to and with what was recorded then, such as 2026-01-31T23:59:59Z, or that position',
    },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      help: 'Restore into this data directory, with embedded stores, instead of that of OPENBANK_DATA_DIR',
    },
    json: { type: 'boolean', help: 'Print the result as JSON' },
  },
  positionals: ['DIR'],
  async run({ to, 'data-dir': dataDir, json }, [directory = '']) {
    const config = readConfig();
    const stores = dataDir === undefined ? config : storesIn(namedPath(dataDir));
    const point = to === undefined ? undefined : pointOf(to);
    const startedAt = performance.now();
    const restored = await move((report) => restoreStore(stores, namedPath(directory), point, report), {
      in_use: 'Stop it first: ./openbank stop.',
      disk_full: 'Nothing was restored; make room and call restore again.',
      corrupt: 'Nothing was restored.',
    });
    const { events, streams, last, stateAsOf, storeId } = restored;
    const seconds = (performance.now() - startedAt) / 1000;
    if (json) {
      printJson({
        data_dir: stores.dataDir,
        events,
        streams,
        last_position: String(last.position),
        last_recorded_at: last.recordedAt,
        state_as_of: stateAsOf ?? null,
        store_id: storeId,
        seconds,
      });
    } else {
      const rate = formatCount(Math.round(events / seconds));
      print(
        `${paint('green', '●')} Restored into ${stores.dataDir}, and compared: ${formatCount(events)} events in ${formatCount(streams)} streams.`,
        `  The newest is position ${last.position}, recorded at ${last.recordedAt}.`,
        `  It took ${seconds.toFixed(1)} s, ${rate} events/s.`,
        '',
        './openbank start builds the read models anew; then ./openbank verify compares them with the events.',
      );
    }
    return EXIT.ok;
  },
});

/** A directory that is named by hand has all its stores in it: none of the configured bank is touched. */
function storesIn(dataDir: string): BankStores {
  const file = (name: string) => ({ kind: 'file', path: join(dataDir, name) }) as const;
  return {
    dataDir,
    eventStore: file('events.db'),
    archiveDir: join(dataDir, 'archive'),
    readModels: file('read-models.db'),
    publisherState: file('reactors.db'),
  };
}

/** @throws CliError for what is neither a time nor a position */
function pointOf(text: string): RestorePoint {
  if (POSITION.test(text)) return { position: BigInt(text) };
  const time = instantOf(text);
  if (time !== undefined) return { time };
  const example = 'a time such as 2026-01-31T23:59:59Z, or a position such as 1042';
  throw new CliError(`--to must be ${example}, not '${text}'.`, EXIT.usage);
}
